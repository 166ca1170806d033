// Owns who is logged in on this peer: by what its own commands come to, by what trackers tell, and by renewing the session in
// time, for which nobody has to ask. Where a peer runs its person stays logged in; where none has run for long the session ends.
// Trackers say when it is time, so the clock of this machine does not matter.
import { randomUUID } from 'node:crypto';
import type { PeerCommandBody, PeerCommandName, PresenceView } from '#wire/tracker-api';
import type { LinkMemory } from './link-memory.ts';
import type { CommandAnswer, EndedSession, LinkEvent } from './tracker-link.ts';

/** What it is remembered in, and how it is renewed and told of. */
export interface OwnSessionOptions {
  readonly memory: LinkMemory;
  readonly peerId: string;
  /** Sends the command that renews the session. */
  readonly renew: (commandId: string) => Promise<CommandAnswer>;
  /** Takes the news that somebody else, or nobody, is logged in. */
  readonly tell: (event: LinkEvent) => void;
}

type AnyCommand = { readonly name: PeerCommandName; readonly body: object };

/** The session on this peer. */
export class OwnSession {
  readonly #options: OwnSessionOptions;
  /** Commands under way that end the session here: trackers may push its end before they answer. */
  #leavingCount = 0;
  #isRenewing = false;
  /** Where the last renewal stands in which log: a tracker that has not read so far still says that one is due. */
  #renewed: { readonly logId: string | null; readonly offset: number } = { logId: null, offset: -1 };

  constructor(options: OwnSessionOptions) {
    this.#options = options;
  }

  /** Runs a command of this peer's, and notes what it does to the session when it is accepted. */
  async during(command: AnyCommand, run: () => Promise<CommandAnswer>): Promise<CommandAnswer> {
    const after = userAfter(command, this.#options.peerId);
    const isLeaving = after === null;
    this.#leavingCount += Number(isLeaving);
    try {
      const answer = await run();
      if (answer.status === 'accepted' && after !== undefined) this.is(after, answer.offset);
      return answer;
    } finally {
      this.#leavingCount -= Number(isLeaving);
    }
  }

  /** Somebody says who is logged in as of an offset. */
  is(user: string | null, asOfOffset: number): void {
    const { memory, tell } = this.#options;
    const isNews = memory.userIs(user, asOfOffset, { isOwnDoing: this.#leavingCount > 0 });
    if (isNews) tell({ type: 'session_changed', user, ended: memory.ended });
  }

  /** A tracker tells of the session as of an offset. A renewal that fails is tried again when it tells the next time. */
  presented({ user, term }: PresenceView, asOfOffset: number): void {
    this.is(user, asOfOffset);
    const { memory } = this.#options;
    memory.sessionExpires(term?.expiresAtMs ?? null, asOfOffset);
    const { logId, offset } = this.#renewed;
    const hasReadRenewal = logId !== memory.logId || asOfOffset >= offset;
    if (term?.isRenewalDue === true && hasReadRenewal) void this.#renew();
  }

  /** An answer with the reason for which nobody is logged in, when it is not that somebody logged out here. */
  explained<Answer extends { readonly status: string }>(
    answer: Answer,
  ): Answer & Partial<Pick<EndedSession, 'detail'>> {
    const { ended } = this.#options.memory;
    const isWithoutSession = 'code' in answer && answer.code === 'not_logged_in';
    return isWithoutSession && ended !== null ? { ...answer, detail: ended.detail } : answer;
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    const { logId } = this.#options.memory;
    try {
      const answer = await this.#options.renew(randomUUID());
      if (answer.status !== 'accepted') return;
      this.#renewed = { logId, offset: answer.offset };
    } finally {
      this.#isRenewing = false;
    }
  }
}

/** Who is logged in on this peer after an accepted command; undefined when it changes nothing. */
function userAfter({ name, body }: AnyCommand, ownPeerId: string): string | null | undefined {
  if (name === 'login') return (body as PeerCommandBody<'login'>).user;
  if (name === 'logout') return null;
  if (name === 'end_session' && (body as PeerCommandBody<'end_session'>).peerId === ownPeerId) return null;
  return undefined;
}
