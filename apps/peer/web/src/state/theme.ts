// Owns dark and light: as the system has it, unless somebody chose; the choice is kept in this browser.
import { effect, signal } from '@preact/signals';

/** What can be chosen. */
export const THEMES = ['system', 'light', 'dark'] as const;
/** One of `THEMES`. */
export type Theme = (typeof THEMES)[number];

const KEY = 'cohort.theme';

/** What was chosen. */
export const theme = signal<Theme>(kept());

effect(() => {
  const chosen = theme.value;
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
});

function kept(): Theme {
  try {
    return THEMES.find((each) => each === localStorage.getItem(KEY)) ?? 'system';
  } catch {
    return 'system';
  }
}
