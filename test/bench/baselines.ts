// Owns what transfers and sharing are compared with, measured on the same machine in the same run: the raw copy of a file over
// loopback TCP, as it is, with its SHA-1, and with TLS and its SHA-1, and the rate at which the processors hash.
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { loadOrCreateIdentity } from '#identity/identity';
import { touchMemory } from './touched-memory.ts';

const HASH_SECONDS = 1;
const HASHED_BYTES = 1024 * 1024;

/** Seconds until every receiver has the file, each with an equal part from every sender. */
export async function rawCopySeconds(copy: {
  readonly source: string;
  readonly totalBytes: number;
  readonly senders: number;
  readonly receivers: number;
  /** Each receiver hashes what comes, in the thread that receives it. */
  readonly isVerified: boolean;
  /** Mutual TLS 1.3, with the options of peers. */
  readonly isEncrypted: boolean;
}): Promise<number> {
  const script = new URL('./raw-copy.ts', import.meta.url);
  const keys = copy.isEncrypted ? mkdtempSync(`${copy.source}.keys-`) : '';
  if (copy.isEncrypted) await loadOrCreateIdentity(keys);
  const senders = Array.from({ length: copy.senders }, () => fork(script, ['send', copy.source, keys]));
  const ports = (await Promise.all(senders.map((sender) => nextMessage<{ port: number }>(sender)))).map(
    ({ port }) => port,
  );
  const targets = Array.from({ length: copy.receivers }, (_, number) => `${copy.source}.raw-${number}`);
  const receivers = targets.map((target) =>
    fork(script, [copy.isVerified ? 'verify' : 'receive', target, keys, String(copy.totalBytes), ...ports.map(String)]),
  );
  try {
    await Promise.all(receivers.map((receiver) => nextMessage(receiver)));
    touchMemory(dirname(copy.source), copy.totalBytes * copy.receivers);
    const startMs = performance.now();
    await Promise.all(
      receivers.map((receiver) => {
        receiver.send('go');
        return nextMessage(receiver);
      }),
    );
    return (performance.now() - startMs) / 1000;
  } finally {
    for (const child of [...senders, ...receivers]) child.kill('SIGKILL');
    for (const made of [...targets, ...(keys === '' ? [] : [keys])]) rmSync(made, { force: true, recursive: true });
  }
}

function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a process of the benchmark ended early'));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Message);
    });
  });
}

/** Bytes that so many threads hash with SHA-1 in a second, together: the buffer stays in the cache, so it is a ceiling. */
export async function sha1BytesPerSecond(threads: number): Promise<number> {
  const rates = await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(fileURLToPath(new URL('./hash-rate.ts', import.meta.url)));
      return new Promise<number>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}

/** Bytes that this thread hashes in a second. */
export function hashRate(): number {
  const bytes = Buffer.alloc(HASHED_BYTES);
  const startMs = performance.now();
  let hashed = 0;
  while (performance.now() - startMs < HASH_SECONDS * 1000) {
    createHash('sha1').update(bytes).digest();
    hashed += bytes.length;
  }
  return (hashed * 1000) / (performance.now() - startMs);
}
