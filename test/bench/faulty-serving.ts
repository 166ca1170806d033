// Owns how a seeder of the benchmark fails. Loaded ahead of a peer that knows nothing of it, in each of its threads: what the peer
// says over a connection that it accepted is spoiled, held back or cut off, as COHORT_BENCH_FAULT says.
import { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { FrameDecoder } from '#wire/transfer-frame';

/** `corrupts`: one piece of a hundred; `stalls`: says nothing more after a while; `closes`; `is-slow`: 1 MB/s altogether. */
export const FAULTS = ['corrupts', 'stalls', 'closes', 'is-slow'] as const;
export type Fault = (typeof FAULTS)[number];

const CORRUPT_ONE_OF = 100;
const STALL_AFTER_BYTES = 8 * 1024 * 1024;
const CLOSE_AFTER_MS = { least: 200, most: 1_000 };
const SLOW_BYTES_PER_SECOND = 1_000_000;
const SLOW_SLICE_BYTES = 16 * 1024;

type Write = (bytes: Uint8Array, done?: () => void) => boolean;

const SPOIL: Readonly<Record<Fault, (socket: Socket, write: Write) => Write>> = {
  corrupts: corrupting,
  stalls: stalling,
  closes: closing,
  'is-slow': slow,
};

/** Turns a byte around in every piece whose number is a multiple of a hundred, wherever chunks begin and end. */
function corrupting(_socket: Socket, write: Write): Write {
  const decoder = new FrameDecoder();
  let isChosen = false;
  let at: number | null = null;
  const sink = {
    frame: () => {},
    blockStart: ({ piece }: { piece: number }) => void (isChosen = piece % CORRUPT_ONE_OF === 0),
    blockBytes: (_chunk: Uint8Array, begin: number) => {
      if (isChosen) at = begin;
      isChosen = false;
    },
    blockEnd: () => {},
  };
  return (bytes, done) => {
    at = null;
    decoder.push(bytes, sink);
    return write(at === null ? bytes : bytes.with(at, (bytes[at] ?? 0) ^ 1), done);
  };
}

let sentBytes = 0;

function stalling(_socket: Socket, write: Write): Write {
  return (bytes, done) => {
    sentBytes += bytes.length;
    return sentBytes > STALL_AFTER_BYTES || write(bytes, done);
  };
}

function closing(socket: Socket, write: Write): Write {
  const { least, most } = CLOSE_AFTER_MS;
  setTimeout(() => socket.destroy(), least + Math.random() * (most - least)).unref();
  return write;
}

let freeAtMs = 0;

function slow(_socket: Socket, write: Write): Write {
  const waiting: (() => void)[] = [];
  const later = (bytes: Uint8Array, done?: () => void): void => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs) + (bytes.length * 1000) / SLOW_BYTES_PER_SECOND;
    waiting.push(() => write(bytes, done));
    // A busy process may come to a later timer first: whichever comes, the oldest bytes go.
    setTimeout(() => waiting.shift()!(), freeAtMs - nowMs).unref();
  };
  return (bytes, done) => {
    for (let begin = 0; begin < bytes.length; begin += SLOW_SLICE_BYTES) {
      const slice = Uint8Array.from(bytes.subarray(begin, begin + SLOW_SLICE_BYTES));
      later(slice, begin + SLOW_SLICE_BYTES < bytes.length ? undefined : done);
    }
    return true;
  };
}

function isFault(text: string | undefined): text is Fault {
  return FAULTS.some((fault) => fault === text);
}

function spoil(socket: Socket, fault: Fault): void {
  const write = socket.write.bind(socket) as Write;
  socket.write = SPOIL[fault](socket, write) as Socket['write'];
}

const fault = process.env['COHORT_BENCH_FAULT'];
if (isFault(fault)) {
  const { emit } = Server.prototype as { emit: (this: Server, ...values: unknown[]) => boolean };
  Server.prototype.emit = function (this: Server, event: string, ...values: unknown[]): boolean {
    const [socket] = values;
    const accepted = this instanceof TlsServer ? 'secureConnection' : 'connection';
    if (event === accepted && socket instanceof Socket) spoil(socket, fault);
    return emit.call(this, event, ...values);
  } as Server['emit'];
}
