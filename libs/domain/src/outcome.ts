// Owns what a record came to: accepted with a result, or rejected with a reason. Refusals are data.
import type { PieceHash } from './command.ts';
import type { RejectionReason } from './rejection.ts';

/** What an accepted command tells its sender beside its offset. Empty for most. */
export interface CommandResult {
  /** login. */
  readonly sessionId?: number;
  /** create_group. */
  readonly groupId?: number;
  /** upload_file, download_file, seed_file. */
  readonly share?: SharedContent;
}

/** What a peer needs to fetch or to seed a share. */
export interface SharedContent {
  readonly groupId: number;
  readonly shareId: number;
  readonly contentId: string;
  readonly totalBytes: number;
  readonly pieceBytes: number;
  readonly pieceCount: number;
  readonly hash: PieceHash;
  /** Left out before rules version 3, as all are the first then. */
  readonly version?: number;
}

/** What a record came to. */
export type Outcome =
  | { readonly status: 'accepted'; readonly result: CommandResult }
  | { readonly status: 'rejected'; readonly reason: RejectionReason };

/** The outcome of a refusal. */
export function rejected(reason: RejectionReason): Outcome {
  return { reason, status: 'rejected' };
}
