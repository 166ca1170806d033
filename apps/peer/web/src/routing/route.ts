// Owns the places of the page and their addresses. They stand behind the `#`, so that names of groups and files reach no server and no
// log, and every address is the same document. Pure.

/** What there is to set. */
export const SETTINGS_SECTIONS = ['account', 'sessions', 'keys', 'network', 'appearance'] as const;
/** One of `SETTINGS_SECTIONS`. */
export type SettingsSection = (typeof SETTINGS_SECTIONS)[number];

/** A place. `files` is a group's list, with a file that is looked at; `transfers` is the list, with a transfer that is. */
export type Route =
  | { readonly place: 'transfers'; readonly transferId?: string }
  | { readonly place: 'groups' }
  | { readonly place: 'files'; readonly group: string; readonly file?: string }
  | { readonly place: 'members'; readonly group: string }
  | { readonly place: 'group'; readonly group: string }
  | { readonly place: 'settings'; readonly section: SettingsSection };

/** Where the page begins. */
export const HOME: Route = { place: 'groups' };

/** The address of a place, for a link. */
export function hrefOf(route: Route): string {
  return `#/${partsOf(route).map(encodeURIComponent).join('/')}`;
}

/** The place of an address; null for one that there is not. */
export function routeOf(hash: string): Route | null {
  const parts = hash.replace(/^#\/?/, '').split('/').map(decoded);
  if (parts.some((part) => part === null)) return null;
  const [place = '', first = '', second = '', third = '', ...more] = parts as string[];
  if (more.length > 0) return null;
  if (place === '') return HOME;
  if (place === 'transfers' && second === '') return first === '' ? { place } : { place, transferId: first };
  if (place === 'settings' && second === '') return settingsRoute(first);
  return place === 'groups' ? groupRoute(first, second, third) : null;
}

function partsOf(route: Route): string[] {
  switch (route.place) {
    case 'transfers':
      return route.transferId === undefined ? ['transfers'] : ['transfers', route.transferId];
    case 'groups':
      return ['groups'];
    case 'files':
      return ['groups', route.group, 'files', ...(route.file === undefined ? [] : [route.file])];
    case 'members':
      return ['groups', route.group, 'members'];
    case 'group':
      return ['groups', route.group, 'settings'];
    case 'settings':
      return ['settings', route.section];
  }
}

function groupRoute(group: string, tab: string, file: string): Route | null {
  if (group === '') return { place: 'groups' };
  if (tab === 'files' && file !== '') return { place: 'files', group, file };
  if (file !== '') return null;
  if (tab === '' || tab === 'files') return { place: 'files', group };
  if (tab === 'members') return { place: 'members', group };
  return tab === 'settings' ? { place: 'group', group } : null;
}

function settingsRoute(section: string): Route | null {
  if (section === '') return { place: 'settings', section: 'account' };
  const found = SETTINGS_SECTIONS.find((each) => each === section);
  return found === undefined ? null : { place: 'settings', section: found };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
