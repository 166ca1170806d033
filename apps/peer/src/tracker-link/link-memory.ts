// Owns how much of which log this peer has seen, and who is logged in on it at that point. Kept over restarts, so that a
// person reads their own writes from any tracker, and shares are served again before a tracker answers.
import { SESSION_LIFETIME_MS } from '#domain/session-term';
import { type FileReports, hasFields, readJsonIfSound, ReplacedFile } from '#identity/durable-file';
import type { EndedSession } from './tracker-link.ts';

interface Remembered {
  readonly logId: string | null;
  /** Highest offset seen, -1 for none. */
  readonly seenOffset: number;
  readonly user: string | null;
  /** Where in the log `user` was true. */
  readonly userOffset: number;
  /** When the session ends unless it is renewed; null while nobody knows, or sessions do not expire. */
  readonly sessionExpiresAtMs: number | null;
  /** A session that ended without a logout here. */
  readonly ended: Pick<EndedSession, 'user' | 'reason'> | null;
}

const SESSION_DAYS = SESSION_LIFETIME_MS / (24 * 60 * 60 * 1_000);

const NOTHING: Remembered = {
  ...{ logId: null, seenOffset: -1, user: null, userOffset: -1 },
  ...{ sessionExpiresAtMs: null, ended: null },
};

/** Who is told of the file, and the wall clock: milliseconds since 1970. */
export type LinkMemoryOptions = FileReports & { readonly now?: () => number };

/** What a peer has seen of which log, in a file. */
export class LinkMemory {
  readonly #file: ReplacedFile;
  readonly #now: () => number;
  #remembered: Remembered;

  private constructor(file: ReplacedFile, remembered: Remembered, now: () => number) {
    this.#file = file;
    this.#remembered = remembered;
    this.#now = now;
  }

  /** As the last process left it. */
  static async open(path: string, { writeFailed, damaged, now = Date.now }: LinkMemoryOptions): Promise<LinkMemory> {
    const remembered = await readJsonIfSound(path, { isSound: isRemembered, damaged });
    return new LinkMemory(new ReplacedFile(path, writeFailed), { ...NOTHING, ...remembered }, now);
  }

  get logId(): string | null {
    return this.#remembered.logId;
  }

  get seenOffset(): number {
    return this.#remembered.seenOffset;
  }

  get user(): string | null {
    return this.#remembered.user;
  }

  /** The last session, when it ended without a logout here. */
  get ended(): EndedSession | null {
    const { ended } = this.#remembered;
    return ended === null ? null : { ...ended, detail: detailOf(ended) };
  }

  /**
   * When the session ends unless it is renewed, as of an offset; null when it does not. By that the reason of its end is known
   * afterwards. A tracker that is behind may still tell of a session that was renewed meanwhile, or of the one before.
   */
  sessionExpires(atMs: number | null, asOfOffset: number): void {
    const { userOffset, sessionExpiresAtMs } = this.#remembered;
    if (this.user === null || asOfOffset < userOffset || atMs === sessionExpiresAtMs) return;
    this.#store({ ...this.#remembered, sessionExpiresAtMs: atMs });
  }

  /** The trackers serve this log. With another one than before, nothing that was seen holds. */
  follow(logId: string): void {
    if (logId !== this.#remembered.logId) this.#store({ ...NOTHING, logId });
  }

  saw(offset: number): void {
    if (offset > this.#remembered.seenOffset) this.#store({ ...this.#remembered, seenOffset: offset });
  }

  /** Somebody says who is logged in as of an offset, which this peer itself may have brought about. Returns whether that is news. */
  userIs(user: string | null, asOfOffset: number, { isOwnDoing = false } = {}): boolean {
    const { user: known, userOffset, sessionExpiresAtMs } = this.#remembered;
    if (asOfOffset < userOffset) return false;
    if (user === known) {
      this.#remembered = { ...this.#remembered, userOffset: asOfOffset };
      return false;
    }
    const isEnd = user === null && known !== null && !isOwnDoing;
    const hasExpired = sessionExpiresAtMs !== null && this.#now() >= sessionExpiresAtMs;
    const ended = isEnd ? ({ user: known, reason: hasExpired ? 'expired' : 'ended_elsewhere' } as const) : null;
    this.#store({ ...this.#remembered, user, userOffset: asOfOffset, sessionExpiresAtMs: null, ended });
    return true;
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#file.settled();
  }

  #store(remembered: Remembered): void {
    this.#remembered = remembered;
    void this.#file.write(JSON.stringify(remembered));
  }
}

/** Older ones do not have the last two fields. */
function isRemembered(value: unknown): value is Omit<Remembered, 'sessionExpiresAtMs' | 'ended'> {
  return hasFields(value, { logId: 'string?', seenOffset: 'number', user: 'string?', userOffset: 'number' });
}

function detailOf({ user, reason }: Pick<EndedSession, 'user' | 'reason'>): string {
  return reason === 'expired'
    ? `The session of ${user} on this peer expired, because the peer did not renew it for ${SESSION_DAYS} days: log in again.`
    : `The session of ${user} on this peer was ended elsewhere, or with a new password: log in again.`;
}
