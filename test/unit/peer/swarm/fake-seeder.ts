// A seeder without an engine: it speaks the protocol without TLS and answers requests however a test wants it to.
import { randomBytes, sign } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fullBitfield } from '#domain/bitfield';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  type HelloFrame,
  PIECE_HEADER_BYTES,
  proofMessage,
  writePieceHeader,
} from '#wire/transfer-frame';
import type { Digested, Source } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import { newFolder, onTestEnd } from './engine-harness.ts';

export type RequestFrame = Extract<Frame, { kind: 'request' }>;

export interface FakeOptions {
  readonly digested: Digested;
  /** The manifest that it gives out, if not the right one. */
  readonly manifestBytes?: Uint8Array;
  /** What it does instead of giving one out. */
  readonly keepManifest?: (socket: Socket) => void;
  readonly answer: (request: RequestFrame, socket: Socket) => void;
  readonly heard?: (frame: Frame) => void;
}

/** Listens on loopback; a source that a download can be given. */
export async function startFakeSeeder(user: string, options: FakeOptions): Promise<Source> {
  const identity = await loadOrCreateIdentity(join(newFolder(), 'identity'));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket, identity, options);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { peerId: identity.id, user, addresses: [{ host: '127.0.0.1', port }] };
}

function serve(socket: Socket, identity: Identity, options: FakeOptions): void {
  const hello: HelloFrame = {
    kind: 'hello',
    version: 1,
    lane: 0,
    laneCount: 1,
    nonce: randomBytes(32),
    key: identity.publicKeyDer,
  };
  const send = (frame: Frame): void => void socket.write(encodeFrame(frame));
  const frame = (heard: Frame): void => {
    options.heard?.(heard);
    if (heard.kind === 'hello') {
      send(hello);
      send({ kind: 'proof', signature: sign(null, proofMessage('listener', heard, hello), identity.privateKey) });
    } else if (heard.kind === 'grant') {
      const pieceCount = Math.ceil(options.digested.manifest.totalBytes / options.digested.manifest.pieceBytes);
      send({ kind: 'bitfield', pieceCount, bits: fullBitfield(pieceCount) });
    } else if (heard.kind === 'askManifest' && options.keepManifest !== undefined) {
      options.keepManifest(socket);
    } else if (heard.kind === 'askManifest') {
      const bytes = options.manifestBytes ?? options.digested.manifestBytes;
      const part = bytes.subarray(heard.begin, heard.begin + heard.length);
      send({ kind: 'manifest', totalBytes: bytes.length, begin: heard.begin, bytes: part });
    } else if (heard.kind === 'request') options.answer(heard, socket);
  };
  const decoder = new FrameDecoder();
  const sink = { frame, blockStart: () => {}, blockBytes: () => {}, blockEnd: () => {} };
  socket.on('data', (chunk: Buffer) => decoder.push(chunk, sink));
}

/** The frame that answers a request with these bytes. */
export function blockFrame(request: { piece: number; begin: number }, bytes: Uint8Array): Buffer {
  const frame = Buffer.alloc(PIECE_HEADER_BYTES + bytes.length);
  frame.set(bytes, PIECE_HEADER_BYTES);
  writePieceHeader(frame, request, bytes.length);
  return frame;
}
