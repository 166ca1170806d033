// Owns what a download finds at its destination of earlier ones: the copy that it would be the next version of, or more of, is meant
// itself, and not a place inside it. What is there is left alone, and who asked is told what is there and what to do.
import { realpath } from 'node:fs/promises';
import type { SharedContent } from '#domain/outcome';
import type { Refused } from '#wire/tracker-api';
import { isResting, type TransferRecord, versionOf } from './transfer-record.ts';

/** What a download asks for. */
interface Asked {
  readonly user: string | null;
  readonly group: string;
  readonly file: string;
}

/** The transfer whose copy of the same file, in whatever version, is at a path, whichever way leads there. */
export async function copyAt(
  records: readonly TransferRecord[],
  path: string,
  { user, group, file }: Asked,
): Promise<TransferRecord | undefined> {
  const copies = records
    .filter((record) => record.user === user && record.group === group && record.file === file && isCopy(record))
    .toReversed();
  const named = copies.find((record) => record.path === path);
  if (named !== undefined) return named;
  for (const record of copies) {
    // What was shared keeps the path that it was named by, with the links in it.
    if ((await realpath(record.path).catch(() => null)) === path) return record;
  }
  return undefined;
}

/** One that is not served, and what is left of one that was changed, are copies of it too: nothing is put inside those. */
function isCopy(record: TransferRecord): boolean {
  if (record.direction === 'upload') return record.share !== null;
  return record.state === 'complete' || record.isPartial === true;
}

/** Why nothing is written where something is, with what helps. `copy` is the earlier one of the same file, if that is there. */
export function destinationExists(
  path: string,
  { copy, share }: { readonly copy: TransferRecord | undefined; readonly share: SharedContent },
): Refused {
  return taken(
    copy === undefined ? `${path} is there already: ${ELSE}, or say overwrite to replace it` : sameFile(copy, share),
  );
}

/** Two downloads do not write to one place. */
export function destinationTaken({ transferId, path }: TransferRecord): Refused {
  return taken(`transfer ${transferId} writes to ${path} already: ${ELSE}, or cancel that one first`);
}

const ELSE = 'name another destination';

function sameFile(copy: TransferRecord, share: SharedContent): string {
  const { path, file, transferId } = copy;
  const isSame = copy.share?.shareId === share.shareId;
  const [before, now] = [copy.share === null ? 1 : versionOf(copy.share), versionOf(share)];
  if (isSame && isResting(copy)) return `${path} has files of it already: prioritize ${transferId} takes more of them`;
  if (isSame) return `${path} is this copy already: ${ELSE} for another one, or recheck ${transferId} to check it`;
  const there = before === now ? `an earlier ${file}` : `version ${before} of ${file}`;
  const next = before === now ? 'the new one' : `version ${now}`;
  return `${path} is ${there}: say overwrite to put ${next} in its place, which fetches what differs and keeps no changes of yours; or ${ELSE}`;
}

function taken(message: string): Refused {
  return { status: 'failed', code: 'destination_exists', errors: [{ field: 'destination', message }] };
}
