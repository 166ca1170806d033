// Owns which of its faces the page shows: the door for who is not let in, the form for who is not logged in, or the place that the
// address names, in its frame. Who goes elsewhere has the focus on its heading, and hears where that is.
import { useEffect, useRef } from 'preact/hooks';
import { Door, Starting } from './door/door.tsx';
import { LogIn } from './door/log-in.tsx';
import { Frame } from './frame/frame.tsx';
import { NewsPlace } from './frame/news-place.tsx';
import { Nowhere } from './frame/nowhere.tsx';
import { GroupView } from './groups/group-view.tsx';
import { GroupsView } from './groups/groups-view.tsx';
import { Confirmations } from './parts/confirmation.tsx';
import { type Route } from './routing/route.ts';
import { route } from './routing/router.ts';
import { SettingsView } from './settings/settings-view.tsx';
import { phase, user } from './state/session.ts';
import { TransfersView } from './transfers/transfers-view.tsx';

/** The whole page. */
export function App() {
  return (
    <>
      <Face />
      <Confirmations />
      <NewsPlace />
    </>
  );
}

function Face() {
  switch (phase.value) {
    case 'starting':
      return <Starting />;
    case 'shut_out':
      return <Door />;
    case 'logged_out':
      return <LogIn />;
    case 'logged_in':
      // Another user's page holds nothing of the one before.
      return <Inside key={user.value} />;
  }
}

function Inside() {
  const place = route.value;
  useFocusOnArrival(placeName(place));
  return (
    <Frame>
      <Place to={place} />
    </Frame>
  );
}

function Place({ to }: { readonly to: Route | null }) {
  switch (to?.place) {
    case 'transfers':
      return <TransfersView transferId={to.transferId} />;
    case 'groups':
      return <GroupsView />;
    case 'files':
    case 'members':
    case 'group':
      return <GroupView key={to.group} at={to} />;
    case 'settings':
      return <SettingsView section={to.section} />;
    case undefined:
      return <Nowhere />;
  }
}

/** What is looked at within a place (a file, a transfer) is no other place. */
function placeName(to: Route | null): string {
  if (to === null) return '';
  const within = 'group' in to ? to.group : 'section' in to ? to.section : '';
  return `${to.place} ${within}`;
}

function useFocusOnArrival(place: string): void {
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) document.querySelector('h1')?.focus();
    isFirst.current = false;
  }, [place]);
}
