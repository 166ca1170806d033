// Owns what somebody who looks at something is drawn to look at: every view of a peer's link, those with grants more often.
import type { FailoverLink } from '../../apps/peer/src/tracker-link/failover-link.ts';
import type { ViewAnswer } from '../../apps/peer/src/tracker-link/tracker-link.ts';
import type { CommandDraws, Person } from './command-draws.ts';
import type { Draws } from './draws.ts';

/** With what views are drawn. */
export interface LookDraws {
  readonly draws: Draws;
  readonly commands: CommandDraws;
  /** A command of theirs that may be asked about. */
  readonly stamp: () => { readonly commandId: string; readonly user: string | null };
}

/** Has somebody look at something. */
export function drawnLook(
  link: FailoverLink,
  person: Person,
  { draws, commands, stamp }: LookDraws,
): () => Promise<ViewAnswer<unknown>> {
  const group = commands.group(person);
  const page = draws.chance(0.8) ? { limit: 1_000 } : { limit: draws.integer(1, 3), after: group };
  const ofDownload = (): Promise<ViewAnswer<unknown>> => link.findSources(commands.download(person));
  return draws.pick<() => Promise<ViewAnswer<unknown>>>([
    () => link.listGroups(page),
    () => link.listMembers(group, page),
    () => link.listRequests(group, page),
    () => link.listFiles(group, { ...page, ...(draws.chance(0.5) && { versions: 'all' as const }) }),
    () => link.listSessions(),
    () => link.findSources(commands.share(person)),
    ofDownload,
    ofDownload,
    ofDownload,
    () => link.commandOutcome(stamp()),
  ]);
}
