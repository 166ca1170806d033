// Owns what is done after a log was restored that lacks its last records: offsets that somebody has seen are not given to other
// records. What stands there instead is no record by any rules, so it comes to nothing, and audits show it.
import { BadInput } from '#identity/start-input';
import type { CommandLog } from '../command-log/command-log.ts';

/** As many as a sender may be behind: with more, commands of peers that were away are refused as expired. */
const SKIPPED_MAX = 1_000_000;
/** More than a log plausibly has lost: one digit too many is for ever. */
const UNASKED_MAX = 10_000;
const APPENDED_AT_ONCE = 256;

/**
 * Fills the log up to an offset, and returns how many it took. Rejects with BadInput for one that is too far away, or further than
 * is done without force, and LogFailure.
 */
export async function skipOffsets(
  log: CommandLog,
  offset: number,
  { isForced }: { readonly isForced: boolean },
): Promise<number> {
  const end = await log.end();
  if (end === 0) throw new BadInput('the log is empty: restore it first');
  if (offset - end > SKIPPED_MAX) {
    throw new BadInput(`the log ends at ${end}: at most ${SKIPPED_MAX} offsets are left out at a time`);
  }
  if (offset - end > UNASKED_MAX && !isForced) {
    const count = `the log ends at ${end}: ${offset - end} offsets would be left out, and nobody can take that back`;
    throw new BadInput(`${count}; more than ${UNASKED_MAX} are with --force only`);
  }
  for (let next = end; next < offset; next = await log.end()) {
    const count = Math.min(APPENDED_AT_ONCE, offset - next);
    await log.append(Array.from({ length: count }, (_, index) => ({ value: unused(next + index), sealed: null })));
  }
  return Math.max(0, offset - end);
}

function unused(offset: number): Uint8Array {
  const event = { specversion: '1.0', type: 'cohort.unused_offset.v1', id: String(offset), source: '/operator' };
  return Buffer.from(JSON.stringify(event));
}
