// Owns what this browser is giving to the peer to share: file after file, with progress, until it is cancelled. It outlives the view that
// it was begun in; what is all there is shared by a command like any path, and what is not leaves nothing.
import { signal } from '@preact/signals';
import { command, newId, part, problemOf, remove } from '../api/client.ts';
import { type Answer, PEER_AWAY, type PageProblem } from '../api/problem.ts';
import { tell } from '../state/news.ts';
import { tellBegun } from '../transfers/transfer-notices.ts';
import type { DroppedEntry, DroppedThing } from './dropped-files.ts';

/** One thing on its way. */
export interface DroppedUpload {
  readonly id: string;
  readonly group: string;
  readonly name: string;
  readonly totalBytes: number;
  readonly sentBytes: number;
  /** `sharing`: all of it is at the peer, which hashes it. */
  readonly state: 'sending' | 'sharing' | 'failed';
  /** Why it failed; null while it has not. */
  readonly problem: PageProblem | null;
}

/** What is to be shared, and as what. */
export interface UploadWish {
  readonly group: string;
  readonly dropped: DroppedThing;
  /** The file that gets its next version; null for a new one. */
  readonly replaces: string | null;
}

/** What is on its way, or failed, the oldest first. */
export const droppedUploads = signal<readonly DroppedUpload[]>([]);

const interrupts = new Map<string, AbortController>();
/** Bytes of a file go one after the other: several at once would only share the same disk. */
let queue: Promise<void> = Promise.resolve();

/** Begins to give it to the peer, after what was begun before. */
export function beginUpload(wish: UploadWish): void {
  const { group, dropped } = wish;
  if (dropped.entries.length === 0) {
    tell({ tone: 'bad', text: `${dropped.name} has no file in it. Share an empty folder by its path instead.` });
    return;
  }
  const totalBytes = dropped.entries.reduce((sum, { file }) => sum + file.size, 0);
  const upload: DroppedUpload = {
    ...{ id: newId(), group, name: dropped.name, totalBytes, sentBytes: 0, state: 'sending', problem: null },
  };
  const interrupt = new AbortController();
  interrupts.set(upload.id, interrupt);
  droppedUploads.value = [...droppedUploads.value, upload];
  queue = queue.then(() => run(upload.id, wish, interrupt.signal));
}

/** Ends it, or takes the word of its failure away. What the peer has all of is a transfer of the peer, and is ended there. */
export function cancelUpload(id: string): void {
  if (droppedUploads.peek().some((upload) => upload.id === id && upload.state === 'sharing')) return;
  interrupts.get(id)?.abort();
  end(id);
}

globalThis.addEventListener('beforeunload', (event) => {
  if (droppedUploads.value.some(({ state }) => state !== 'failed')) event.preventDefault();
});

async function run(id: string, { group, dropped, replaces }: UploadWish, interrupt: AbortSignal): Promise<void> {
  const sent = await sendAll(id, dropped, interrupt);
  if (interrupt.aborted) return discard(sent.ok ? sent.value : null);
  if (!sent.ok) return fail(id, sent.problem);
  change(id, { state: 'sharing' });
  const answer = await command('upload_file', {
    ...{ group, path: sent.value.path, name: replaces ?? dropped.name },
    ...(replaces !== null && { update: true }),
  });
  if (!answer.ok) {
    await discard(sent.value);
    return fail(id, answer.problem);
  }
  tellBegun(`${dropped.name} is being shared in ${group}.`, answer.value.result.transferId);
  end(id);
}

/** Where the peer put it. */
interface Kept {
  readonly folder: string;
  readonly path: string;
}

async function sendAll(
  id: string,
  { name, isFolder, entries }: DroppedThing,
  interrupt: AbortSignal,
): Promise<Answer<Kept>> {
  let kept: Answer<Kept> = { ok: false, problem: PEER_AWAY };
  let before = 0;
  for (const { path, file } of entries) {
    const folder = kept.ok ? kept.value.folder : null;
    const query = new URLSearchParams({ name, ...(isFolder && { path }), ...(folder !== null && { folder }) });
    const sentBefore = before;
    const answer = await sendOne({ path, file }, query, {
      interrupt,
      onProgress: (sentBytes) => change(id, { sentBytes: sentBefore + sentBytes }),
    });
    if (!answer.ok || interrupt.aborted) {
      if (kept.ok) await discard(kept.value);
      return answer;
    }
    kept = answer;
    before += file.size;
  }
  return kept;
}

interface Sending {
  readonly interrupt: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/** Not with fetch, which does not tell how much has been sent. */
function sendOne(
  { file }: DroppedEntry,
  query: URLSearchParams,
  { interrupt, onProgress }: Sending,
): Promise<Answer<Kept>> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    const ended = (answer: Answer<Kept>): void => {
      interrupt.removeEventListener('abort', abort);
      resolve(answer);
    };
    const away = (): void => ended({ ok: false, problem: PEER_AWAY });
    request.open('POST', `/api/v1/dropped-files?${query.toString()}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.responseType = 'json';
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded));
    request.addEventListener('load', () => {
      const { status, response } = request;
      const isKept = status === 201 && response !== null;
      ended(isKept ? { ok: true, status, value: response as Kept } : { ok: false, problem: problemOf(response) });
    });
    request.addEventListener('error', away);
    request.addEventListener('abort', away);
    if (interrupt.aborted) return away();
    interrupt.addEventListener('abort', abort);
    request.send(file);
  });
}

async function discard(kept: Kept | null): Promise<void> {
  // What is left in spite of it the peer takes away by itself after a while.
  if (kept !== null) await remove(`/dropped-files/${part(kept.folder)}`);
}

function change(id: string, changed: Partial<DroppedUpload>): void {
  droppedUploads.value = droppedUploads.value.map((upload) => (upload.id === id ? { ...upload, ...changed } : upload));
}

function fail(id: string, problem: PageProblem): void {
  interrupts.delete(id);
  change(id, { state: 'failed', problem });
}

function end(id: string): void {
  interrupts.delete(id);
  droppedUploads.value = droppedUploads.value.filter((upload) => upload.id !== id);
}
