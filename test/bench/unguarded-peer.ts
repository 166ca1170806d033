// Owns how a peer of the benchmark does without its guards, to see what they cost. Loaded ahead of a peer that knows nothing of it,
// in each of its threads: files that have guards are read without them when COHORT_BENCH_GUARDS is `out`, and by the same way as they
// are when it is `in`. On disk and in the product nothing is different, and there is no switch for it.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** One guard: where it stands, its text there, and what is left in its place. */
export interface Guard {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly without: string;
}

const ROOT = new URL('../../', import.meta.url);
const [DOOR, SERVE, FETCH, FRAMES] = [
  'libs/identity/src/door.ts',
  'apps/peer/src/data-plane/serve-session.ts',
  'apps/peer/src/data-plane/fetch-session.ts',
  'libs/wire/src/transfer-frame.ts',
] as const;

/** All that stands in the way of bytes between peers only because of hostile ones. What pieces are verified with is not among it. */
export const GUARDS: readonly Guard[] = [
  {
    name: 'the door: places, turns, handshakes at a time',
    file: DOOR,
    text: ".removeAllListeners('connection').on('connection', (socket: Socket) => this.#come(socket));",
    without: ';',
  },
  {
    name: 'the door: nothing is read before its turn',
    file: DOOR,
    text: 'pauseOnConnect(server, true);',
    without: '',
  },
  {
    name: 'the time for the greeting and for each frame that comes in, at the listening side',
    file: SERVE,
    text: 'if (this.#isTooSlow(clock.nowMs)) ',
    without: 'if (false as boolean) ',
  },
  {
    name: 'silence, at the listening side',
    file: SERVE,
    text: 'if (clock.nowMs - this.#lastHeardMs > PEER_IDLE_TIMEOUT_MS) ',
    without: 'if (false as boolean) ',
  },
  {
    name: 'when something was heard last, at the listening side',
    file: SERVE,
    text: 'this.#lastHeardMs = performance.now();',
    without: '',
  },
  {
    name: 'requests that wait',
    file: SERVE,
    text: 'if (this.#requests.length >= PEER_REQUESTS_MAX) ',
    without: 'if (false as boolean) ',
  },
  {
    name: 'what is not read',
    file: SERVE,
    text: 'if (this.#socket.writableLength + heldBytes > PEER_UNREAD_BYTES_MAX) ',
    without: 'if (false as boolean) ',
  },
  {
    name: 'connections of one peer',
    file: SERVE,
    text: 'if (isNew && this.#context.admittedCount(peerId) >= PEER_CONNECTIONS_PER_PEER_MAX) ',
    without: 'if (false as boolean) ',
  },
  {
    name: 'the time for the greeting, at the dialling side',
    file: FETCH,
    text: "if (this.#state === 'greeting' && nowMs - this.#greetingMs > PEER_HANDSHAKE_TIMEOUT_MS) ",
    without: 'if (false as boolean) ',
  },
  {
    name: 'answers that do not come',
    file: FETCH,
    text: 'else if (this.#isOwed && silentMs > PEER_STALL_TIMEOUT_MS) ',
    without: 'else if (false as boolean) ',
  },
  {
    name: 'when something was heard last, at the dialling side',
    file: FETCH,
    text: "this.#lastHeardMs = performance.now();\n    this.#context.counters.add('receivedBytes', length);",
    without: "this.#context.counters.add('receivedBytes', length);",
  },
  {
    name: 'blocks that were not asked for',
    file: FETCH,
    text: "if (!isAnswer) this.#breach('a block that was not asked for');",
    without: '',
  },
  {
    name: 'kinds of frames that have no place there',
    file: FRAMES,
    text: 'if (!this.takes.has(kind)) ',
    without: 'if (false as boolean) ',
  },
  {
    name: 'lengths of frames',
    file: FRAMES,
    text: 'if (bodyBytes < shortest || bodyBytes > longest) ',
    without: 'if (false as boolean) ',
  },
];

/** A file as it is without its guards. Throws when one of them does not stand there. */
export function withoutGuards(file: string, source: string): string {
  let left = source;
  for (const { name, text, without } of GUARDS.filter((guard) => guard.file === file)) {
    if (left.split(text).length !== 2) throw new Error(`${file}: the guard "${name}" does not stand there once`);
    left = left.replace(text, () => without);
  }
  return left;
}

const guards = process.env['COHORT_BENCH_GUARDS'];
if (guards === 'in' || guards === 'out') {
  const guarded = new Map(GUARDS.map(({ file }) => [new URL(file, ROOT).href, file]));
  registerHooks({
    load(url, context, nextLoad) {
      const file = guarded.get(url);
      if (file === undefined) return nextLoad(url, context);
      const whole = readFileSync(new URL(url), 'utf8');
      const source = guards === 'out' ? withoutGuards(file, whole) : whole;
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}
