// Owns fuzzing a connection that somebody dialled to fetch pieces, without TLS so that the handshake is part of it: what comes
// before the grant reveals nothing, what comes after it gets bytes of the share and no others, and nothing ends the worker.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { idOfPublicKey } from '#identity/identity';
import { encodeManifest } from '#wire/manifest-codec';
import {
  type BlockPlace,
  encodeFrame,
  type Frame,
  FrameDecoder,
  type FrameSink,
  type HelloFrame,
  proofMessage,
} from '#wire/transfer-frame';
import { stampsInSharedMemory } from '../../../apps/peer/src/data-plane/shared-memory.ts';
import { stampFile } from '../../../apps/peer/src/storage/content-files.ts';
import { GrantDesk } from '../../../apps/peer/src/data-plane/grant-desk.ts';
import { LaneCounters, newCounters } from '../../../apps/peer/src/data-plane/lane-counters.ts';
import type { LocalPeer } from '../../../apps/peer/src/data-plane/peer-handshake.ts';
import { ServeSession } from '../../../apps/peer/src/data-plane/serve-session.ts';
import { ShareTable } from '../../../apps/peer/src/data-plane/share-table.ts';
import { LOG_ID, signedGrant, TRACKER } from '../../granting-tracker.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { cutUp, withTrueLengths } from './frames.ts';

const PIECE_BYTES = 1024;
const SHARE = { groupId: 1, shareId: 2 };
/** Bits of the first byte of an input: whether a right handshake goes before the rest of it, and whether that comes cut up. */
const ADMITTED = 1;
const CUT = 2;

const local = localPeer();
const caller = localPeer();
const content = Uint8Array.from({ length: 3 * PIECE_BYTES + 100 }, (_, position) => position % 251);
const { shares, contentId } = sharedContent();

export const serving: FuzzTarget = {
  name: 'serving',
  sources: [
    'apps/peer/src/data-plane/serve-session.ts',
    'apps/peer/src/data-plane/peer-handshake.ts',
    'apps/peer/src/data-plane/grant-desk.ts',
    'apps/peer/src/data-plane/share-table.ts',
  ],
  shape: 'bytes',
  seeds: () => [
    Buffer.concat([Uint8Array.of(0), helloOf(caller), proof(new Uint8Array(64)), grantFrame()].map(bytesOf)),
    ...[0, ADMITTED].flatMap((flags) =>
      REQUESTS.map((frame) => Buffer.concat([Uint8Array.of(flags), encodeFrame(frame)])),
    ),
    Buffer.concat([Uint8Array.of(ADMITTED | CUT), grantFrame(), ...REQUESTS].map(bytesOf)),
  ],
  repair: (input) => Buffer.concat([input.subarray(0, 1), withTrueLengths(input.subarray(1))]),
  run: async (input) => {
    const socket = new PlayedSocket();
    const session = new ServeSession(socket as unknown as Socket, context());
    const flags = input[0] ?? 0;
    if ((flags & ADMITTED) !== 0) introduce(socket);
    const rest = input.subarray(1);
    for (const chunk of (flags & CUT) === 0 ? [rest] : cutUp(rest)) socket.hear(chunk);
    session.tick({ nowMs: performance.now(), unixMs: Date.now() });
    await settled();
    session.destroy();
    checkAnswers(socket, (flags & ADMITTED) !== 0);
  },
};

const REQUESTS: readonly Frame[] = [
  { kind: 'request', piece: 0, begin: 0, length: 16 },
  { kind: 'request', piece: 3, begin: 0, length: 100 },
  { kind: 'request', piece: 1, begin: 1000, length: 24 },
  { kind: 'askManifest', begin: 0, length: 1024 },
  { kind: 'cancel', piece: 0, begin: 0 },
  { kind: 'corrupt', piece: 1 },
  { kind: 'keepAlive' },
  { kind: 'refuse', code: 'closing' },
];

function localPeer(): LocalPeer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const publicKeyDer = publicKey.export({ type: 'spki', format: 'der' });
  return { peerId: idOfPublicKey(publicKeyDer), lane: 0, laneCount: 1, privateKey, publicKeyDer, plain: true };
}

function sharedContent(): { shares: ShareTable; contentId: string } {
  const path = join(scratchFolder(), 'film');
  writeFileSync(path, content);
  const pieces = Array.from({ length: 4 }, (_, piece) =>
    content.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES),
  );
  const encoded = encodeManifest({
    version: 1,
    totalBytes: content.length,
    pieceBytes: PIECE_BYTES,
    hash: 'sha1',
    files: [{ path: '', bytes: content.length, sha1: createHash('sha1').update(content).digest('hex') }],
    pieceDigests: Buffer.concat(pieces.map((piece) => createHash('sha1').update(piece).digest())),
  });
  assert.ok(encoded.ok);
  const id = createHash('sha256').update(encoded.bytes).digest('hex');
  const table = new ShareTable((_share, problem) => assert.fail(`the share is ${problem.code}`));
  const stamps = stampsInSharedMemory([stampFile(path)]);
  const about = { share: SHARE, contentId: id, manifestBytes: encoded.bytes, roots: [path] };
  table.serve({ ...about, verified: null, stamps, identity: null, placed: null });
  return { shares: table, contentId: id };
}

function context(): ConstructorParameters<typeof ServeSession>[1] {
  const desk = new GrantDesk();
  desk.trust({ logId: LOG_ID, trackers: [TRACKER] });
  return {
    ...{ local, shares, desk, counters: new LaneCounters(newCounters(1), 0) },
    budgetOf: () => null,
    admittedCount: () => 0,
    onAdmitted: () => undefined,
    onClosed: () => undefined,
  };
}

function helloOf(peer: LocalPeer): HelloFrame {
  return { kind: 'hello', version: 1, lane: 0, laneCount: 1, nonce: new Uint8Array(32), key: peer.publicKeyDer };
}

function proof(signature: Uint8Array): Frame {
  return { kind: 'proof', signature };
}

function grantFrame(): Frame {
  return { kind: 'grant', grant: signedGrant({ ...SHARE, contentId, user: 'bob', peerId: caller.peerId }) };
}

/** The handshake as it should be. */
function introduce(socket: PlayedSocket): void {
  const dialler = helloOf(caller);
  socket.hear(encodeFrame(dialler));
  const listener = saidBy(socket).frames.find((frame) => frame.kind === 'hello');
  assert.ok(listener !== undefined);
  const signature = sign(null, proofMessage('dialler', dialler, listener), caller.privateKey);
  socket.hear(encodeFrame(proof(signature)));
  socket.hear(encodeFrame(grantFrame()));
}

function checkAnswers(socket: PlayedSocket, isAdmitted: boolean): void {
  const { frames, blocks, problem } = saidBy(socket);
  assert.equal(problem, null, 'what is answered can be read');
  for (const { place, bytes } of blocks) {
    const begin = place.piece * PIECE_BYTES + place.begin;
    assertSameBytes(bytes, content.subarray(begin, begin + bytes.length), 'a block is what was asked for');
  }
  if (isAdmitted) return;
  const kinds = new Set(frames.map(({ kind }) => kind));
  assert.ok(blocks.length === 0 && [...kinds].every((kind) => BEFORE_ADMISSION.has(kind)), `says ${[...kinds].join()}`);
}

const BEFORE_ADMISSION: ReadonlySet<string> = new Set(['hello', 'proof', 'refuse']);

interface SaidBlock {
  readonly place: BlockPlace;
  readonly bytes: Uint8Array;
}

function saidBy(socket: PlayedSocket): { frames: Frame[]; blocks: SaidBlock[]; problem: string | null } {
  const frames: Frame[] = [];
  const blocks: SaidBlock[] = [];
  let [place, parts]: [BlockPlace, Uint8Array[]] = [{ piece: 0, begin: 0 }, []];
  const sink: FrameSink = {
    frame: (frame) => void frames.push(frame),
    blockStart: (begun) => void ([place, parts] = [begun, []]),
    blockBytes: (chunk, begin, end) => void parts.push(chunk.slice(begin, end)),
    blockEnd: () => void blocks.push({ place, bytes: Buffer.concat(parts) }),
  };
  const decoder = new FrameDecoder();
  for (const chunk of socket.written) decoder.push(chunk, sink);
  return { frames, blocks, problem: decoder.problem };
}

function bytesOf(part: Frame | Uint8Array): Uint8Array {
  return part instanceof Uint8Array ? part : encodeFrame(part);
}

/** Until everything is done that goes on by itself, a look at the disk included. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
}

/** As much of a socket as a session needs: what is written is taken at once. */
class PlayedSocket extends EventEmitter {
  readonly written: Uint8Array[] = [];
  readonly remoteAddress = '127.0.0.1';
  readonly connecting = false;
  readonly writableLength = 0;
  #isDestroyed = false;

  hear(chunk: Uint8Array): void {
    if (!this.#isDestroyed) this.emit('data', Buffer.from(chunk));
  }

  setNoDelay(): this {
    return this;
  }

  write(bytes: Uint8Array, onTaken?: () => void): boolean {
    this.written.push(bytes.slice());
    if (onTaken !== undefined) queueMicrotask(onTaken);
    return true;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.emit('close');
  }
}
