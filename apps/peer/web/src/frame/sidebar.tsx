// Owns the way to every place: transfers, groups, settings, the user's own groups, who is logged in, and how it stands with the trackers.
import type { ComponentChildren } from 'preact';
import icon from '../../icon.svg';
import { Icon, type IconName } from '../parts/icon.tsx';
import { hrefOf, type Route } from '../routing/route.ts';
import { route } from '../routing/router.ts';
import { logOut } from '../settings/log-out.tsx';
import { ownGroups } from '../state/groups.ts';
import { user } from '../state/session.ts';
import { TransferCount } from '../transfers/total-rate.tsx';
import { Button } from '../parts/button.tsx';
import { Health } from './health.tsx';

const IN_GROUP: ReadonlySet<string> = new Set(['files', 'members', 'group']);

/** The sidebar; on a phone a bar with the first of its lists. */
export function Sidebar() {
  const at = route.value;
  const isInGroup = at !== null && IN_GROUP.has(at.place);
  return (
    <aside class="sidebar" aria-label="Cohort">
      <div class="brand">
        <img src={icon} alt="" />
        Cohort
      </div>
      <nav aria-label="Places">
        <ul class="nav">
          <Item to={{ place: 'transfers' }} icon="transfers" isHere={at?.place === 'transfers'}>
            Transfers <TransferCount />
          </Item>
          <Item to={{ place: 'groups' }} icon="groups" isHere={at?.place === 'groups'}>
            Groups
          </Item>
          <Item to={{ place: 'settings', section: 'account' }} icon="settings" isHere={at?.place === 'settings'}>
            Settings
          </Item>
        </ul>
      </nav>
      <OwnGroups here={isInGroup && 'group' in at ? at.group : null} />
      <div class="sidebar-foot">
        <div class="me">
          <div>
            <span class="me-name cut">{user.value}</span>
            <Health />
          </div>
          <Button icon="logout" label="Log out" tone="quiet" onClick={() => void logOut()} />
        </div>
      </div>
    </aside>
  );
}

function OwnGroups({ here }: { readonly here: string | null }) {
  if (ownGroups.value.length === 0) return null;
  return (
    <nav class="own-groups" aria-labelledby="own-groups">
      <h2 class="nav-title" id="own-groups">
        Your groups
      </h2>
      <ul class="nav">
        {ownGroups.value.map(({ group }) => (
          <Item key={group} to={{ place: 'files', group }} icon="files" isHere={group === here}>
            <span class="cut">{group}</span>
          </Item>
        ))}
      </ul>
    </nav>
  );
}

interface ItemProps {
  readonly to: Route;
  readonly icon: IconName;
  readonly isHere: boolean;
  readonly children: ComponentChildren;
}

function Item({ to, icon: name, isHere, children }: ItemProps) {
  return (
    <li>
      <a href={hrefOf(to)} aria-current={isHere ? 'page' : undefined}>
        <Icon name={name} />
        {children}
      </a>
    </li>
  );
}
