// Owns what Node gives to code that runs in a simulated process: its clocks, timers, chance and small files are the world's.
// They are exchanged below the product, so that nothing in it can reach real time by accident; code outside of every
// simulation (the test runner, the simulation's own loop) gets the real ones.
import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { runningProcess, type Scheduled, type SimulatedProcess } from './simulated-world.ts';

type AnyFunction = (...values: never[]) => unknown;
type Module = Record<string, AnyFunction>;

/** How long a small file takes to be read or written. */
const DISK_MS_MAX = 4;

/** A timer as Node has it, as far as anybody here asks. */
class SimulatedTimer {
  readonly #process: SimulatedProcess;
  readonly #run: () => void;
  readonly #delayMs: number;
  readonly #isRepeated: boolean;
  #scheduled: Scheduled | null = null;

  constructor(process: SimulatedProcess, run: () => void, times: { delayMs: number; isRepeated: boolean }) {
    this.#process = process;
    this.#run = run;
    this.#delayMs = times.delayMs;
    this.#isRepeated = times.isRepeated;
    this.refresh();
  }

  refresh(): this {
    this.clear();
    this.#scheduled = this.#process.world.at(this.#process, this.#delayMs, () => {
      this.#scheduled = null;
      if (this.#isRepeated) this.refresh();
      this.#run();
    });
    return this;
  }

  clear(): void {
    if (this.#scheduled !== null) this.#process.world.takeBack(this.#scheduled);
    this.#scheduled = null;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

/** The given function while a simulated process runs, the real one otherwise. */
function exchange(owner: object, name: string, simulated: (process: SimulatedProcess, ...values: never[]) => unknown) {
  const real = (owner as Module)[name]!;
  const either = (...values: never[]): unknown => {
    const process = runningProcess();
    return process === undefined ? real.apply(owner, values) : simulated(process, ...values);
  };
  const { length: _length, name: _name, ...rest } = Object.getOwnPropertyDescriptors(real);
  Object.defineProperties(either, rest);
  (owner as Module)[name] = either;
}

type TimerCallback = (...values: unknown[]) => void;

function exchangeTimers(): void {
  const timer =
    (isRepeated: boolean) =>
    (process: SimulatedProcess, run: TimerCallback, delayMs = 0, ...values: unknown[]) =>
      new SimulatedTimer(process, () => run(...values), { delayMs, isRepeated });
  exchange(globalThis, 'setTimeout', timer(false));
  exchange(globalThis, 'setInterval', timer(true));
  exchange(globalThis, 'setImmediate', (process, run: TimerCallback, ...values: unknown[]) =>
    timer(false)(process, run, 0, ...values),
  );
  for (const name of ['clearTimeout', 'clearInterval', 'clearImmediate']) {
    exchange(globalThis, name, (_process, cleared: unknown) => {
      if (cleared instanceof SimulatedTimer) cleared.clear();
    });
  }
}

function exchangeClocks(): void {
  exchange(Date, 'now', ({ world, clockSkewMs }) => world.wallMs + clockSkewMs);
  exchange(performance, 'now', (process) => process.monotonicMs());
  exchange(Math, 'random', ({ world }) => world.draws.uniform());
}

interface SleepOptions {
  readonly signal?: AbortSignal;
}

/** Resolves after a simulated span; an aborted signal rejects as Node's own timer does. */
export function sleepIn(process: SimulatedProcess, delayMs: number, { signal }: SleepOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      process.world.takeBack(scheduled);
      reject(Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' }));
    };
    const scheduled = process.world.at(process, delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** Signatures for the price of a hash: nobody forges one here, and each fits one key and one message alone all the same. */
function exchangeSignatures(crypto: Module): void {
  const publicKeys = new WeakMap<KeyObject, Buffer>();
  const publicKeyOf = (key: KeyObject): Buffer => {
    const isPrivate = key.type === 'private';
    const der = publicKeys.get(key) ?? (isPrivate ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
    publicKeys.set(key, der);
    return der;
  };
  const signed = (message: Uint8Array, key: KeyObject): Buffer =>
    hash('sha512', Buffer.concat([publicKeyOf(key), message]), 'buffer');
  exchange(crypto, 'sign', (_process, ...[, message, key]: [null, Uint8Array, KeyObject]) => signed(message, key));
  exchange(crypto, 'verify', (_process, ...[, message, key, signature]: [null, Uint8Array, KeyObject, Uint8Array]) =>
    signed(message, key).equals(signature),
  );
}

/** After a kill there is the old text of a file or the new one, so it is the writing that takes its time, and nothing after it. */
function exchangeFiles(files: Module): void {
  const slowly = async (process: SimulatedProcess): Promise<Map<string, string>> => {
    await sleepIn(process, process.world.draws.between(0, DISK_MS_MAX));
    return process.world.disk;
  };
  exchange(files, 'readFile', async (process, path: string) => {
    const text = (await slowly(process)).get(path);
    if (text === undefined) throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
    return text;
  });
  exchange(files, 'writeFile', async (process, path: string, text: string) => {
    (await slowly(process)).set(path, text);
  });
  exchange(files, 'rename', ({ world: { disk } }, from: string, to: string) => {
    disk.set(to, disk.get(from)!);
    disk.delete(from);
    return Promise.resolve();
  });
  exchange(files, 'open', () => Promise.resolve({ sync: () => Promise.resolve(), close: () => Promise.resolve() }));
}

let isExchanged = false;

/** From now on code in simulated processes has simulated time, chance and files. Has to come before a world runs. */
export function exchangePlatform(): void {
  if (isExchanged) return;
  isExchanged = true;
  const load = createRequire(import.meta.url);
  exchangeTimers();
  exchangeClocks();
  const timers = load('node:timers/promises') as Module;
  exchange(timers, 'setTimeout', (process, delayMs: number, _value: unknown, options?: SleepOptions) =>
    sleepIn(process, delayMs, options),
  );
  exchange(timers, 'setImmediate', (process) => sleepIn(process, 0));
  const crypto = load('node:crypto') as Module;
  exchange(crypto, 'randomUUID', ({ world }) => world.draws.uuid());
  exchange(crypto, 'randomBytes', ({ world }, count: number) => world.draws.bytes(count));
  exchangeSignatures(crypto);
  exchangeFiles(load('node:fs/promises') as Module);
  syncBuiltinESMExports();
}
