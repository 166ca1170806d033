// Owns asking before the last copy goes: `stop_share`, `logout` and `leave_group` take away what this peer serves, and nobody else
// who is online may have all of it. Files of a group with no other member are nobody's loss, and not asked about.
import type { MemberItem } from '#wire/control-api';
import type { LastCopyItem } from '#wire/control-copies';
import { type ErrorCode, ERRORS } from '#wire/wire-error';
import { AnswerLost, CommandRefused, type ControlClient, NoRunningPeer } from './control-client.ts';
import type { Invocation } from './invocation.ts';

/** What a command takes away: everything that this peer serves, all of a group, or a file of it. */
export interface TakenAway {
  readonly group?: string;
  readonly file?: string;
  readonly version?: number;
}

export interface ConsentFlags {
  /** Go ahead without being asked. */
  readonly yes?: boolean | undefined;
}

/** The person was asked, and keeps what there is. */
export class NotWanted extends Error {
  constructor() {
    super('Nothing was changed. With --yes the same goes ahead without a question.');
  }
}

const SHOWN_MAX = 10;
const GROUPS_MAX = 20;

/**
 * Says which last copies would go, and asks a person at a terminal whether to go ahead; in a pipe it only says so, and a program that
 * reads JSON is told nothing. Throws `NotWanted`. Where it cannot be told what would go, that is said and asked in the same way.
 */
export async function consent(invocation: Invocation, taken: TakenAway, { yes = false }: ConsentFlags): Promise<void> {
  const { terminal, flags } = invocation;
  if (yes || flags.json === true) return;
  const warning = await warningFor(invocation, taken);
  if (warning === null) return;
  terminal.note(warning);
  if (!terminal.isTyped) return;
  const complete = async (): Promise<{ replaced: string; by: string[] }> => ({ replaced: '', by: [] });
  const answer = await terminal.readLine({ question: 'Go ahead? [y/N] ', complete, history: [] });
  if (!/^\s*y(?:es)?\s*$/i.test(answer)) throw new NotWanted();
}

/** What is to be said before; null when nothing goes that others would miss. Throws when there is no peer to take anything away. */
async function warningFor(invocation: Invocation, taken: TakenAway): Promise<string | null> {
  try {
    const missed = await missedBy(await invocation.client(), taken);
    return missed.length === 0 ? null : warningOf(missed);
  } catch (error) {
    if (invocation.interrupt.aborted || error instanceof NoRunningPeer) throw error;
    if (error instanceof CommandRefused && isAboutCommand(error.problem.code)) return null;
    const why = error instanceof CommandRefused || error instanceof AnswerLost ? ` ${error.message}` : '';
    return `Warning: it cannot be told now whether others have all of what this takes away.${why}\n`;
  }
}

/** Whether the command will be refused in the same words. A build without the question, or one that cannot answer it, says nothing of that. */
function isAboutCommand(code: ErrorCode): boolean {
  const { status, retryable } = ERRORS[code];
  return status < 500 && !retryable && code !== 'not_found';
}

async function missedBy(client: ControlClient, taken: TakenAway): Promise<readonly LastCopyItem[]> {
  const query = Object.entries(taken).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  const { items } = await client.view<{ items: LastCopyItem[] }>(`/last-copies?${query.join('&')}`);
  if (items.length === 0) return [];
  const shared = await groupsOfSeveral(client, new Set(items.map(({ group }) => group)));
  return items.filter(({ group }) => shared.has(group));
}

/** Those of the groups that have more members than one. Of very many, the others are taken to have them. */
async function groupsOfSeveral(client: ControlClient, groups: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const found = new Set(groups);
  for (const group of [...groups].slice(0, GROUPS_MAX)) {
    const { items } = await client.view<{ items: MemberItem[] }>(
      `/groups/${encodeURIComponent(group)}/members?limit=2`,
    );
    if (items.length < 2) found.delete(group);
  }
  return found;
}

function warningOf(missed: readonly LastCopyItem[]): string {
  const lines = missed.slice(0, SHOWN_MAX).map(({ group, file, version, partialCopies }) => {
    const parts = partialCopies === 0 ? '' : ` (online in part: ${partialCopies})`;
    return `  ${file}${version === 1 ? '' : `, version ${version}`}, of ${group}${parts}\n`;
  });
  if (missed.length > SHOWN_MAX) lines.push(`  and ${missed.length - SHOWN_MAX} more\n`);
  return `Warning: nobody else who is online has all of what this takes away, so nobody could fetch it:\n${lines.join('')}`;
}
