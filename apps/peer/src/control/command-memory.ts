// Owns which command ids this peer has used, for what, and what came of them. Trackers remember too, but only what reached
// the log and in their own form: an upload's body here names a path. An entry is on disk before its command leaves.
import { createHash } from 'node:crypto';
import type { CommandResult } from '#domain/outcome';
import type { RejectionReason } from '#domain/rejection';
import { LineFile, type WriteFailed } from '#identity/durable-file';
import type { ControlCommandName } from '#wire/control-requests';

/** Commands remembered. */
export const COMMANDS_KEPT_MAX = 10_000;
/** The file is written anew when it holds this many lines: two for each command, and room to grow. */
const LINES_MAX = 4 * COMMANDS_KEPT_MAX;

/** What the log, or this peer's transfers, made of a command. */
export type CommandOutcome =
  | {
      readonly status: 'accepted';
      readonly offset: number | null;
      readonly result: CommandResult;
      readonly transferId?: string;
    }
  | { readonly status: 'rejected'; readonly offset: number; readonly reason: RejectionReason };

/** One command id as it was used first. */
export interface RememberedCommand {
  readonly commandId: string;
  /** Commands that change who is logged in are the peer's own; the others are scoped to who was logged in. */
  readonly scope: string;
  readonly command: ControlCommandName;
  /** SHA-256 of the body without secrets, and without how long to wait. */
  readonly digest: string;
  /** Who was logged in. */
  readonly user: string | null;
  outcome: CommandOutcome | null;
}

type Line = Omit<RememberedCommand, 'outcome'> & { readonly outcome?: CommandOutcome };

interface CommandUse {
  readonly commandId: string;
  readonly command: ControlCommandName;
  readonly body: object;
  readonly user: string | null;
}

const OF_THE_PEER: ReadonlySet<ControlCommandName> = new Set(['create_user', 'login', 'logout']);
const NOT_COMPARED: ReadonlySet<string> = new Set(['password', 'newPassword', 'wait', 'timeoutSeconds']);

export class CommandMemory {
  readonly #file: LineFile<Line>;
  readonly #entries = new Map<string, RememberedCommand>();
  #lineCount: number;

  constructor(path: string, writeFailed: WriteFailed) {
    this.#file = new LineFile(path, writeFailed);
    const lines = this.#file.readAll();
    for (const line of lines) this.#remember({ ...line, outcome: line.outcome ?? null });
    this.#lineCount = lines.length;
  }

  /** The entry of this use of an id, made when it is the first; null when the id was used for another command. */
  begin({ commandId, command, body, user }: CommandUse): RememberedCommand | null {
    const scope = OF_THE_PEER.has(command) ? 'peer' : `user ${user ?? ''}`;
    const digest = bodyDigest(body);
    const known = this.#entries.get(keyOf({ scope, commandId }));
    if (known !== undefined) return known.command === command && known.digest === digest ? known : null;
    const entry: RememberedCommand = { commandId, scope, command, digest, user, outcome: null };
    this.#remember(entry);
    this.#store(entry);
    return entry;
  }

  settle(entry: RememberedCommand, outcome: CommandOutcome): void {
    entry.outcome = outcome;
    this.#store(entry);
  }

  /** What is known of an id: as the user used it, or as the peer itself. */
  find(commandId: string, user: string | null): RememberedCommand | null {
    const ofUser = this.#entries.get(keyOf({ scope: `user ${user ?? ''}`, commandId }));
    return ofUser ?? this.#entries.get(keyOf({ scope: 'peer', commandId })) ?? null;
  }

  #store(entry: RememberedCommand): void {
    if (this.#lineCount < LINES_MAX) {
      this.#file.append(lineOf(entry));
      this.#lineCount++;
      return;
    }
    this.#file.replace([...this.#entries.values()].map(lineOf));
    this.#lineCount = this.#entries.size;
  }

  #remember(entry: RememberedCommand): void {
    this.#entries.set(keyOf(entry), entry);
    if (this.#entries.size <= COMMANDS_KEPT_MAX) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest!);
  }
}

function keyOf({ scope, commandId }: Pick<RememberedCommand, 'scope' | 'commandId'>): string {
  return `${commandId} ${scope}`;
}

function lineOf({ outcome, ...entry }: RememberedCommand): Line {
  return outcome === null ? entry : { ...entry, outcome };
}

function bodyDigest(body: object): string {
  const fields = Object.entries(body)
    .filter(([field, value]) => !NOT_COMPARED.has(field) && value !== undefined && value !== null)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}
