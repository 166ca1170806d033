// Owns where the page is: the place that the address names, and the way to another one. The browser's own history is the only memory.
import { signal } from '@preact/signals';
import { HOME, hrefOf, type Route, routeOf } from './route.ts';

const current = signal<Route | null>(routeOf(location.hash));

globalThis.addEventListener('hashchange', () => {
  current.value = routeOf(location.hash);
});

/** The place; null for an address that there is not. */
export const route = current;

/** Goes to a place. `replace`: the one before is not come back to. */
export function go(to: Route, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (!replace) {
    location.hash = hrefOf(to);
    return;
  }
  history.replaceState(null, '', hrefOf(to));
  current.value = to;
}

/** Goes to where the page begins. */
export function goHome(): void {
  go(HOME, { replace: true });
}
