// The file that pool workers run: the standing lane, and finite tasks beside it that read, hash and place files. Every task
// answers with an outcome, because an error object loses its code on the way between threads.
import type { MessagePort } from 'node:worker_threads';
import { manifestTree } from '#wire/manifest-table';
import { identityOf as identityOfNow } from '../storage/content-files.ts';
import {
  checkDestination as checkDestinationNow,
  findEarlierPart as findEarlierPartNow,
  finishPart as finishPartNow,
  preparePart as preparePartNow,
  removeDownload as removeDownloadNow,
  removePart as removePartNow,
  syncPart as syncPartNow,
} from '../storage/destination.ts';
import { readPiece as readPieceNow } from '../storage/piece-reading.ts';
import { reusePieces as reusePiecesNow } from '../storage/piece-reuse.ts';
import {
  findPlaced as findPlacedNow,
  finishPlaced as finishPlacedNow,
  noteLeft as noteLeftNow,
  placeFiles as placeFilesNow,
} from '../storage/placing.ts';
import {
  checkRepair as checkRepairNow,
  dropRepair as dropRepairNow,
  finishRepair as finishRepairNow,
} from '../storage/repair.ts';
import { type ScrubTask, scrubPieces as scrubPiecesNow } from '../storage/scrub-reading.ts';
import {
  checkUnchanged as checkUnchangedNow,
  findFiles as findFilesNow,
  hashPieces as hashPiecesNow,
  hashWholeFiles as hashWholeFilesNow,
  stampSource as stampSourceNow,
} from '../storage/source-hashing.ts';
import { scanSource as scanSourceNow } from '../storage/source-scan.ts';
import { type Outcome, outcomeOf } from '../storage/storage-problem.ts';
import { checkTree as checkTreeNow } from '../storage/tree-check.ts';
import { watchHeap } from './heap-watch.ts';
import { runLane } from './lane.ts';
import { LaneCounters } from './lane-counters.ts';
import type { LaneStart } from './lane-messages.ts';
import { stampsInSharedMemory } from './shared-memory.ts';
import { QuietTime } from './quiet-time.ts';

let counters: LaneCounters | null = null;
/** Those of all workers. */
let allCounters: readonly LaneCounters[] = [];

/** The standing lane of this worker. */
export function lane({ start, port }: { readonly start: LaneStart; readonly port: MessagePort }): Promise<void> {
  counters = new LaneCounters(start.counters, start.lane);
  counters.add('tasks', 1);
  watchHeap();
  allCounters = Array.from({ length: start.laneCount }, (_, number) => new LaneCounters(start.counters, number));
  return runLane(start, port);
}

function task<Request, Value>(run: (request: Request) => Value | Promise<Value>) {
  return (request: Request): Promise<Outcome<Value>> => {
    counters?.add('tasks', 1);
    return outcomeOf(() => run(request));
  };
}

export const checkDestination = task(checkDestinationNow);
export const findEarlierPart = task(findEarlierPartNow);
export const preparePart = task(preparePartNow);
/** The same for all that a manifest lists: a message with each of its files would be long. */
export const prepareWhole = task((request: Omit<Parameters<typeof preparePartNow>[0], 'files' | 'emptyFolders'>) =>
  preparePartNow({ ...request, ...manifestTree(request.manifestBytes) }),
);
export const syncPart = task(syncPartNow);
export const finishWhole = task(async ({ manifestBytes, ...request }: FinishRequest) =>
  stampsInSharedMemory(await finishPartNow({ ...request, ...manifestTree(manifestBytes) })),
);
export const identityOf = task(identityOfNow);
export const findPlaced = task(findPlacedNow);
export const noteLeft = task(noteLeftNow);
export const placeFiles = task(placeFilesNow);
export const finishPlaced = task(finishPlacedNow);
export const removePart = task(removePartNow);
export const removeDownload = task(removeDownloadNow);
export const checkRepair = task(checkRepairNow);
export const finishRepair = task(finishRepairNow);
export const dropRepair = task(dropRepairNow);
/** Of all that a manifest lists. */
export const checkTree = task(
  ({ manifestBytes, ...tree }: { manifestBytes: Uint8Array; root: string; restores: boolean }) =>
    checkTreeNow({ ...tree, ...manifestTree(manifestBytes) }),
);
export const reusePieces = task(reusePiecesNow);
export const scanSource = task((request: Parameters<typeof scanSourceNow>[0]) => scanSourceNow(request));
export const findFiles = task(findFilesNow);
export const stampSource = task(stampSourceNow);
export const checkUnchanged = task(checkUnchangedNow);
export const readPiece = task(async (reading: Parameters<typeof readPieceNow>[0]) => {
  const isSound = await readPieceNow(reading);
  counters?.add('hashedBytes', reading.piece.length);
  return isSound;
});
export const hashPieces = task((request: PiecesRequest) => countedPieces(request, hashPiecesNow));
/** The same, at a pace. */
export const scrubPieces = task((request: ScrubTask) => countedPieces(request, (run) => scrubPiecesNow(run)));
export const hashWholeFiles = task((request: WholeFilesRequest) => countedWholeFiles(request));
/** The same, when nothing else is to be done. */
export const hashWholeFilesQuietly = task((request: WholeFilesRequest) => {
  const quiet = new QuietTime(allCounters);
  return countedWholeFiles({ ...request, pause: () => quiet.next() });
});

type PiecesRequest = Omit<Parameters<typeof hashPiecesNow>[0], 'pause' | 'sliceBytes'>;

async function countedPieces<Request extends PiecesRequest>(
  request: Request,
  hash: (request: Request) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const digests = await hash(request);
  const begin = request.firstPiece * request.pieceBytes;
  counters?.add('hashedBytes', Math.min(request.pieceCount * request.pieceBytes, request.totalBytes - begin));
  return digests;
}

type FinishRequest = Omit<Parameters<typeof finishPartNow>[0], 'files' | 'emptyFolders'> & {
  readonly manifestBytes: Uint8Array;
};

type WholeFilesRequest = Omit<Parameters<typeof hashWholeFilesNow>[0], 'pause'>;

async function countedWholeFiles(request: Parameters<typeof hashWholeFilesNow>[0]): Promise<string[]> {
  const digests = await hashWholeFilesNow(request);
  counters?.add(
    'hashedBytes',
    request.files.reduce((sum, file) => sum + file.bytes, 0),
  );
  return digests;
}
