// Owns telling the log that this peer has all of a file now, until the log has decided it: trackers that are away are waited for.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandAnswer, TrackerLink } from '../tracker-link/tracker-link.ts';
import { RETRY_MS, type TransferContext } from './transfer-context.ts';
import { type DownloadRecord, namedShare } from './transfer-record.ts';

/** Issues `seed_file` for a finished copy. What the log decided, or null when it was called off. */
export async function recordCopy(
  link: TrackerLink,
  record: DownloadRecord,
  signal: AbortSignal,
): Promise<Exclude<CommandAnswer, { status: 'failed' }> | null> {
  const { seedCommandId: commandId, correlationId, user } = record;
  const seeded = { ...namedShare(record), contentId: record.share!.contentId };
  while (!signal.aborted) {
    const answer = await link.command('seed_file', seeded, { commandId, correlationId, user });
    if (signal.aborted) return null;
    if (answer.status !== 'failed') return answer;
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/** The sharer's word for the whole files: shown, and nothing hangs on it. */
export async function noteSha1(
  { sha1Checks, changed }: Pick<TransferContext, 'sha1Checks' | 'changed'>,
  record: DownloadRecord,
  signal: AbortSignal,
): Promise<void> {
  if (record.sha1Matches !== undefined) return;
  const matches = await sha1Checks.check({ contentId: record.share!.contentId, path: record.path }, signal);
  if (matches === null || signal.aborted) return;
  record.sha1Matches = matches;
  changed(record);
}
