// Owns the thread that takes one snapshot and ends: it has a heap of its own, so that neither the work nor its garbage is felt
// by who answers commands.
import { on } from 'node:events';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { RULES } from '#domain/rules';
import type { StoredRecord } from '../command-log/command-log.ts';
import { SnapshotFolder } from './snapshot-folder.ts';
import type { SnapshotFeed, SnapshotNews, SnapshotWorkerData } from './snapshot-messages.ts';
import { SnapshotStore } from './snapshot-store.ts';
import { takeSnapshot } from './snapshot-taking.ts';

const { folder, order } = workerData as SnapshotWorkerData;
const port = parentPort!;

const tell = (news: SnapshotNews): void => port.postMessage(news);

async function* read(fromOffset: number): AsyncIterable<readonly StoredRecord[]> {
  const feeds = on(port, 'message');
  tell({ kind: 'read', fromOffset });
  for await (const [feed] of feeds) {
    // Asked for before this batch is applied, so that the log is read meanwhile.
    tell({ kind: 'more' });
    yield feed as SnapshotFeed;
  }
}

/**
 * Lets the thread that answers commands go first where all processors are busy. On Linux a priority is one thread's, see
 * setpriority(2); elsewhere it would be that of the whole tracker. Where it is not allowed, a snapshot is taken at the same priority.
 */
function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    return;
  }
}

giveWay();
const store = new SnapshotStore(new SnapshotFolder(folder), (message) => tell({ kind: 'warning', message }));
const { signal } = new AbortController();
const taken = await takeSnapshot(order, { store, read, rules: RULES, signal, turn: () => undefined });
if (taken !== null) tell({ kind: 'taken', taken });
