// One peer of the benchmark in a process of its own: a transfer engine that does what the benchmark tells it over IPC.
import { join } from 'node:path';
import { loadOrCreateIdentity } from '#identity/identity';
import { peakResidentBytes } from '../../infra/quick-start/measured.ts';
import { openTransferEngine } from '../../apps/peer/src/swarm/open-transfer-engine.ts';
import type { SourceView } from '../../apps/peer/src/swarm/download-view.ts';
import type {
  Download,
  DownloadRequest,
  EngineLimits,
  ServeRequest,
  TransferEngine,
} from '../../apps/peer/src/swarm/transfer-engine.ts';

export type PeerCall =
  | {
      readonly kind: 'open';
      readonly folder: string;
      readonly workers: number;
      readonly plain: boolean;
      readonly trust: Parameters<TransferEngine['trustTrackers']>[0];
    }
  | { readonly kind: 'digest'; readonly path: string; readonly pieceBytes?: number }
  | { readonly kind: 'serve'; readonly request: ServeRequest }
  | { readonly kind: 'limit'; readonly limits: EngineLimits }
  | { readonly kind: 'download'; readonly request: DownloadRequest }
  | { readonly kind: 'moved' }
  | { readonly kind: 'usage' };

/** CPU seconds of the process so far, and its peak resident memory in bytes. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** Bytes that the process has sent and received so far, and what is verified of each of its downloads. */
export interface Moved {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly verifiedBytes: readonly number[];
}

/** How a download ended, what became of each source, and how long the first verified piece took. */
export interface Downloaded {
  readonly state: string;
  readonly reason: unknown;
  readonly peers: readonly SourceView[];
  readonly firstPieceMs: number | null;
}

const FIRST_PIECE_LOOK_MS = 1;

let engine: TransferEngine | null = null;
const downloads: Download[] = [];

function running(): TransferEngine {
  if (engine === null) throw new Error('the engine is not open');
  return engine;
}

async function answer(call: PeerCall): Promise<unknown> {
  switch (call.kind) {
    case 'open': {
      const identity = await loadOrCreateIdentity(join(call.folder, 'identity'));
      const listen = { host: '127.0.0.1', port: 0 };
      const { workers, plain, trust } = call;
      engine = await openTransferEngine({ identity, listen, workers, plain, now: Date.now, random: Math.random });
      engine.trustTrackers(trust);
      return { peerId: identity.id, address: engine.listenAddress };
    }
    case 'digest': {
      const { path, pieceBytes } = call;
      return running().digest({ path, hash: 'sha1', ...(pieceBytes !== undefined && { pieceBytes }) });
    }
    case 'serve':
      return running().serve(call.request);
    case 'limit':
      return running().limit(call.limits);
    case 'moved':
      return moved();
    case 'download':
      return download(call.request);
    case 'usage':
      return usage();
  }
}

async function download(request: DownloadRequest): Promise<Downloaded> {
  const startMs = performance.now();
  let firstPieceMs: number | null = null;
  const started = running().download(request);
  downloads.push(started);
  const look = setInterval(() => {
    if (started.view().verifiedBytes === 0) return;
    firstPieceMs = performance.now() - startMs;
    clearInterval(look);
  }, FIRST_PIECE_LOOK_MS);
  const { state, reason } = await started.done;
  clearInterval(look);
  return { state, reason, peers: started.view().peers, firstPieceMs };
}

function moved(): Moved {
  const { workers } = running().metrics();
  return {
    sentBytes: workers.reduce((sum, worker) => sum + worker.sentBytes, 0),
    receivedBytes: workers.reduce((sum, worker) => sum + worker.receivedBytes, 0),
    verifiedBytes: downloads.map((each) => each.view().verifiedBytes),
  };
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const peakBytes = peakResidentBytes(process.pid) ?? process.resourceUsage().maxRSS * 1024;
  return { cpuSeconds: (user + system) / 1e6, peakBytes };
}

process.on('message', (message: { readonly number: number; readonly call: PeerCall }) => {
  answer(message.call).then(
    (value) => process.send?.({ number: message.number, value }),
    (error: Error) => process.send?.({ number: message.number, error: error.stack }),
  );
});
