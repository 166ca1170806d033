// Owns which share a name in a group stands for, for who is logged in and may have it: the trackers say so, and their word counts
// for a while, so that a reader who jumps about does not ask them each time. Without them it is what this peer knows of its own copies.
import type { SharedContent } from '#domain/outcome';
import type { Refused } from '#wire/tracker-api';
import type { TransferContext } from './transfer-context.ts';
import type { TransferSet } from './transfer-set.ts';

/** How long an answer counts, unless something changes meanwhile. */
const FRESH_MS = 10_000;
const REMEMBERED_MAX = 1_000;

/** A share that a user may have. */
export interface FoundShare {
  readonly group: string;
  readonly file: string;
  readonly user: string;
  readonly share: SharedContent;
}

/** What is looked for; without a version the newest. */
type SoughtShare = Pick<FoundShare, 'group' | 'file'> & { readonly version: number | undefined };

export class SharesInSight {
  readonly #context: Pick<TransferContext, 'link' | 'now'>;
  readonly #transfers: TransferSet;
  readonly #found = new Map<string, { readonly share: FoundShare; readonly atMs: number }>();
  /** Counts what changed: an answer to what was asked before is not remembered. */
  #changes = 0;

  constructor(parts: { readonly context: TransferContext; readonly transfers: TransferSet }) {
    this.#context = parts.context;
    this.#transfers = parts.transfers;
  }

  /** The share, or why its user may not have it. */
  async find({ group, file, version }: SoughtShare): Promise<FoundShare | Refused> {
    const { link, now } = this.#context;
    const user = link.user();
    if (user === null) return { status: 'failed', code: 'not_logged_in' };
    const key = JSON.stringify([user, group, file, version]);
    const known = this.#found.get(key);
    if (known !== undefined && now() - known.atMs < FRESH_MS) return known.share;
    const changes = this.#changes;
    const answer = await link.findSources({ group, file, ...(version !== undefined && { version }) });
    if (answer.status === 'failed') return this.#ownCopy({ group, file, user }, version) ?? answer;
    if (answer.status === 'rejected') return answer;
    const share = { group, file, user, share: answer.view.share };
    if (changes === this.#changes) this.#remember(key, share);
    return share;
  }

  /** Memberships, shares or who is logged in may be others now. */
  forget(): void {
    this.#changes++;
    this.#found.clear();
  }

  #remember(key: string, share: FoundShare): void {
    if (this.#found.size >= REMEMBERED_MAX) this.#found.clear();
    this.#found.set(key, { share, atMs: this.#context.now() });
  }

  /** What this user has of that name here, whole or on its way. */
  #ownCopy(named: Omit<FoundShare, 'share'>, version: number | undefined): FoundShare | null {
    const logId = this.#context.link.logId();
    const own = this.#transfers.all().findLast((transfer) => {
      const { group, file, user, share, logId: ofLog } = transfer.record;
      const isNamed = group === named.group && file === named.file && user === named.user;
      const isVersion = version === undefined || version === (share?.version ?? 1);
      return isNamed && isVersion && share !== null && (ofLog === null || ofLog === logId) && transfer.reading !== null;
    });
    return own === undefined ? null : { ...named, share: own.record.share! };
  }
}
