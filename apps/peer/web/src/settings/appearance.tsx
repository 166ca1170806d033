// Owns how the page looks, and whether the browser tells of what happens while nobody looks at it.
import { useSignal } from '@preact/signals';
import { Button } from '../parts/button.tsx';
import { type Theme, theme, THEMES } from '../state/theme.ts';

const WORDS: Readonly<Record<Theme, string>> = { system: 'As the system', light: 'Light', dark: 'Dark' };

/** The section. */
export function Appearance() {
  return (
    <>
      <section class="card card-body" aria-labelledby="theme">
        <h2 id="theme">Theme</h2>
        <div class="segments" role="radiogroup" aria-labelledby="theme">
          {THEMES.map((each) => (
            <label key={each}>
              <input type="radio" name="theme" checked={theme.value === each} onChange={() => (theme.value = each)} />
              {WORDS[each]}
            </label>
          ))}
        </div>
      </section>
      <Notifications />
    </>
  );
}

function Notifications() {
  const permission = useSignal(typeof Notification === 'undefined' ? 'unsupported' : Notification.permission);
  const ask = async (): Promise<void> => {
    permission.value = await Notification.requestPermission();
  };
  return (
    <section class="card card-body" aria-labelledby="notifications">
      <h2 id="notifications">Notifications</h2>
      <p class="soft" role="status">
        {WORDS_OF_PERMISSION[permission.value]}
      </p>
      {permission.value === 'default' && (
        <div class="button-row">
          <Button onClick={() => void ask()}>Allow notifications</Button>
        </div>
      )}
    </section>
  );
}

const WORDS_OF_PERMISSION: Readonly<Record<string, string>> = {
  default:
    'The browser can tell you when a download is complete, fails, or is damaged, while you look at something else.',
  granted: 'The browser tells you when a download is complete, fails, or is damaged, while you look at something else.',
  denied: 'This browser does not let the page notify you. Its settings for this site can change that.',
  unsupported: 'This browser lets only pages of its own machine, or over TLS, notify you.',
};
