// Owns the sentences that say why a download does not move, and what would help.
import { piecesInWords } from '#domain/content-damage';
import type { StorageProblem } from '../storage/storage-problem.ts';
import type { SourceEntry, SourceTable } from './source-table.ts';
import type { TransferReason } from './download-view.ts';

/** Why a download ended on its own disk. */
export function storageReason({ code, detail }: StorageProblem): TransferReason {
  switch (code) {
    case 'disk_full':
      return { code, detail, action: 'make room on this disk, then download again: what came so far is kept' };
    case 'destination_exists':
      return { code, detail, action: 'choose another destination, or allow it to be overwritten' };
    case 'placed_changed':
      return { code: 'source_changed', detail, action: 'resume it: that file is left as it is', goesOnAnew: true };
    case 'source_changed':
      return { code, detail, action: 'recheck it once nothing else writes to it' };
    default:
      return {
        code: 'destination_unwritable',
        detail,
        action: 'make the place writable and free, or choose another destination, then download again',
      };
  }
}

/** Why nobody can have what was shared. `problem` is the end of a sentence about its manifest. */
export function manifestReason(problem: string): TransferReason {
  return {
    code: 'manifest_refused',
    detail: `this cannot be downloaded to any disk: its manifest ${problem}`,
    action: 'ask who shared it to mend that, and to share it again',
  };
}

/** Why nothing comes, or null while something does or may. `missing` is null while pieces are on their way, or none are known. */
export function standstillReason(
  sources: SourceTable,
  { missing, isOpening }: { readonly missing: Uint32Array | null; readonly isOpening: boolean },
): TransferReason | null {
  if (sources.openConnections().length === 0) {
    const isFirstTry = sources.entries().some(({ connections, failures }) => connections.size > 0 && failures === 0);
    return isFirstTry || isOpening ? null : stalledReason(sources.entries());
  }
  if (missing === null) return null;
  const lacking = missing.filter((piece) => sources.availability(piece) === 0);
  const isStuck = lacking.length > 0 && lacking.length === missing.length;
  return isStuck ? piecesMissingReason([...lacking]) : null;
}

/** Why nothing comes, judged by how the sources' last connections ended. */
function stalledReason(entries: readonly SourceEntry[]): TransferReason {
  const usable = entries.filter(({ isDropped }) => !isDropped);
  const codes = new Set(usable.map(({ lastCode }) => lastCode));
  if (codes.has('grant_revoked')) {
    return {
      code: 'not_a_member',
      detail: 'the sources refuse: access was taken back',
      action: 'ask the owner of the group, then download again',
    };
  }
  if (codes.has('grant_expired')) {
    return {
      code: 'trackers_unreachable',
      detail: 'the permission to fetch ran out and no tracker has renewed it',
      action: 'wait: it goes on by itself when a tracker can be reached',
    };
  }
  return {
    code: 'no_seeder_online',
    detail: noSeederDetail(entries),
    action: 'wait: it goes on by itself when one is back',
  };
}

function noSeederDetail(entries: readonly SourceEntry[]): string {
  const dropped = entries.filter(({ isDropped }) => isDropped).map(({ source }) => source.user);
  if (dropped.length > 0) return `nobody else who has it is online; bytes from ${dropped.join(', ')} did not fit`;
  return entries.length === 0 ? 'nobody who has it is online' : 'nobody who has it can be reached';
}

/** Connected peers lack what is missing. The pieces ascend. */
function piecesMissingReason(lacking: readonly number[]): TransferReason {
  return {
    code: 'pieces_missing',
    detail: `${lacking.length === 1 ? 'piece' : 'pieces'} ${piecesInWords(lacking)} cannot be had from anybody who is online`,
    action: 'wait: it goes on by itself when somebody who has them is back',
  };
}
