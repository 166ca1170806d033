// Owns that the transfers of this peer follow what others say: who is logged in here, what trackers push and revoke, and what the
// engine finds out about a copy that it serves.
import type { SourceProblem, TransferEngine } from '../swarm/transfer-engine.ts';
import type { LinkEvent } from '../tracker-link/tracker-link.ts';
import type { ContentStreams } from './content-streams.ts';
import { endAccess } from './copy-endings.ts';
import { DownloadTransfer } from './download-transfer.ts';
import type { TransferContext } from './transfer-context.ts';
import { changedReason, LOGGED_OUT, NOT_A_MEMBER, OTHER_LOG, SHARE_REMOVED, VERSION_GONE } from './transfer-reasons.ts';
import { goesOnByItself, type TransferRecord } from './transfer-record.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';

/** After these somebody may have something that they could not have before, or not any more. */
const CHANGES_ACCESS: ReadonlySet<LinkEvent['type']> = new Set(['session_changed', 'group_changed', 'revoked']);

interface FollowingParts {
  readonly context: Pick<TransferContext, 'link' | 'counts'> & {
    readonly engine: Pick<TransferEngine, 'trustTrackers' | 'revoke' | 'onSourceProblem'>;
  };
  readonly transfers: TransferSet;
  readonly streams: Pick<ContentStreams, 'look' | 'forgetShares'>;
  /** Has another copy of its share served in the place of one that cannot be. */
  readonly serveInstead: (transfer: Transfer) => void;
}

export class AccessFollowing {
  readonly #parts: FollowingParts;
  readonly #stopListening: (() => void)[] = [];

  constructor(parts: FollowingParts) {
    this.#parts = parts;
  }

  /** Takes over what holds now, and follows it from here on. */
  begin(): void {
    const { engine, link } = this.#parts.context;
    this.#trust();
    this.#stopListening.push(
      engine.onSourceProblem((problem) => this.#sourceProblem(problem)),
      link.onEvent((event) => this.#linkEvent(event)),
    );
    this.#sessionIs(link.user());
  }

  end(): void {
    for (const stop of this.#stopListening) stop();
  }

  #trust(): void {
    const { engine, link } = this.#parts.context;
    const trust = link.trust();
    if (trust !== null) engine.trustTrackers(trust);
  }

  #linkEvent(event: LinkEvent): void {
    if (CHANGES_ACCESS.has(event.type)) this.#parts.streams.forgetShares();
    this.#parts.context.counts.linkEvent(event);
    if (event.type === 'session_changed') this.#sessionIs(event.user);
    if (event.type === 'sources_changed') this.#refresh((record) => record.share?.shareId === event.shareId);
    if (event.type === 'tracker_changed' && event.tracker.state === 'ready') {
      this.#refresh(({ reason }) => reason?.code === 'trackers_unreachable');
    }
    if (event.type === 'revoked') this.#revoked(event);
    if (event.type === 'trust_changed') this.#trust();
  }

  #refresh(concerns: (record: TransferRecord) => boolean): void {
    for (const transfer of this.#parts.transfers.all()) {
      if (transfer instanceof DownloadTransfer && transfer.isRunning && concerns(transfer.record))
        void transfer.refresh();
    }
  }

  /** Transfers run while the one who began them is logged in. */
  #sessionIs(user: string | null): void {
    const { context, transfers, streams } = this.#parts;
    const logId = context.link.logId();
    for (const transfer of transfers.all()) {
      const { record } = transfer;
      if (record.user !== user) transfer.pause(LOGGED_OUT);
      else if (record.logId !== null && record.logId !== logId) transfer.fail(OTHER_LOG);
      else if (goesOnByItself(record)) void transfer.run();
    }
    streams.look();
  }

  #revoked({ offset, groupId, shareId, user, peerId }: LinkEvent & { type: 'revoked' }): void {
    this.#parts.context.engine.revoke({
      asOfOffset: offset,
      ...(groupId !== null && { groupId }),
      ...(shareId !== null && { shareId }),
      ...(user !== null && { user }),
      ...(peerId !== null && { peerId }),
    });
    // The end of a session is told by an event of its own.
    if (groupId === null || peerId !== null) return;
    for (const transfer of this.#parts.transfers.all()) {
      const { share, user: owner, offset: begunOffset } = transfer.record;
      if (share === null || share.groupId !== groupId || (begunOffset ?? 0) > offset) continue;
      if (shareId !== null ? share.shareId === shareId : user === owner) {
        const gone = share.version === undefined ? SHARE_REMOVED : VERSION_GONE;
        endAccess(transfer, shareId === null ? NOT_A_MEMBER : gone);
      }
    }
  }

  /** Other copies of the share are what they were. */
  #sourceProblem({ share, path, code, detail }: SourceProblem): void {
    const { transfers, serveInstead } = this.#parts;
    for (const transfer of transfers.all()) {
      const { record } = transfer;
      if (record.share?.shareId !== share.shareId || record.path !== path) continue;
      transfer.sourceProblem(changedReason(code, detail));
      serveInstead(transfer);
    }
  }
}
