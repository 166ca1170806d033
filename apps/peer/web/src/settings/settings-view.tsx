// Owns the place of settings, one section after the other.
import { Screen } from '../frame/screen.tsx';
import { hrefOf, type SettingsSection } from '../routing/route.ts';
import { Account } from './account.tsx';
import { Appearance } from './appearance.tsx';
import { ApiKeys } from './api-keys.tsx';
import { Network } from './network.tsx';
import { Sessions } from './sessions.tsx';

const SECTIONS: Readonly<Record<SettingsSection, string>> = {
  account: 'Account',
  sessions: 'Sessions',
  keys: 'API keys',
  network: 'Network',
  appearance: 'Appearance',
};

/** Settings, at one of their sections. */
export function SettingsView({ section }: { readonly section: SettingsSection }) {
  return (
    <Screen title="Settings" tabs={<Tabs here={section} />}>
      <div class="view narrow">
        <Section key={section} name={section} />
      </div>
    </Screen>
  );
}

function Tabs({ here }: { readonly here: SettingsSection }) {
  return (
    <nav class="tabs" aria-label="Settings">
      {Object.entries(SECTIONS).map(([name, words]) => (
        <a
          key={name}
          href={hrefOf({ place: 'settings', section: name as SettingsSection })}
          aria-current={name === here ? 'page' : undefined}
        >
          {words}
        </a>
      ))}
    </nav>
  );
}

function Section({ name }: { readonly name: SettingsSection }) {
  switch (name) {
    case 'account':
      return <Account />;
    case 'sessions':
      return <Sessions />;
    case 'keys':
      return <ApiKeys />;
    case 'network':
      return <Network />;
    case 'appearance':
      return <Appearance />;
  }
}
