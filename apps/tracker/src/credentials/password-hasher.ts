// Owns argon2id: a bounded number of hashes at once in the thread pool, a bounded queue behind them, and the same work for
// a user that does not exist as for one that does.
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { PASSWORDS_QUEUED_MAX, PASSWORD_WAIT_TIMEOUT_MS } from '#wire/limits';

const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

interface HashRequest {
  readonly password: string;
  readonly salt: Buffer;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly hashBytes: number;
}

/** More passwords wait to be hashed than the queue takes, or than get their turn in time. */
export class PasswordQueueFull extends Error {
  readonly code = 'busy';
  readonly retryable = true;
  constructor() {
    super('too many passwords wait to be checked');
  }
}

/** Hashes and checks passwords, each in its turn. */
export class PasswordHasher {
  readonly #concurrency: number;
  readonly #queueMax: number;
  readonly #waitMaxMs: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  /** The thread pool of Node is shared with file access, so at most half the processors hash at once. */
  constructor({
    concurrency = Math.max(1, Math.floor(availableParallelism() / 2)),
    queueMax = PASSWORDS_QUEUED_MAX,
    waitMaxMs = PASSWORD_WAIT_TIMEOUT_MS,
  } = {}) {
    this.#concurrency = concurrency;
    this.#queueMax = queueMax;
    this.#waitMaxMs = waitMaxMs;
  }

  /** Passwords that wait for their turn. */
  get queued(): number {
    return this.#waiting.size;
  }

  /** The PHC text of a password under a fresh salt. Rejects with PasswordQueueFull. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const parameters = { memoryKib: MEMORY_KIB, passes: PASSES, lanes: LANES, hashBytes: HASH_BYTES };
    const digest = await this.#inTurn({ password, salt, ...parameters });
    return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${unpadded(salt)}$${unpadded(digest)}`;
  }

  /** Whether the password fits the PHC text; with null the work is done all the same and the answer is false. */
  async verify(password: string, phc: string | null): Promise<boolean> {
    const match = phc === null ? null : PHC.exec(phc);
    if (match === null) {
      await this.hash(password);
      return false;
    }
    const [, memoryKib, passes, lanes, salt, digest] = match;
    const expected = Buffer.from(digest!, 'base64');
    const actual = await this.#inTurn({
      password,
      salt: Buffer.from(salt!, 'base64'),
      memoryKib: Number(memoryKib),
      passes: Number(passes),
      lanes: Number(lanes),
      hashBytes: expected.length,
    });
    return timingSafeEqual(actual, expected);
  }

  async #inTurn(request: HashRequest): Promise<Buffer> {
    await this.#turn();
    try {
      return await argon2id(request);
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#running < this.#concurrency) {
      this.#running += 1;
      return Promise.resolve();
    }
    if (this.#waiting.size >= this.#queueMax) return Promise.reject(new PasswordQueueFull());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const begin = (): void => {
      this.#waiting.delete(begin);
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      this.#waiting.delete(begin);
      reject(new PasswordQueueFull());
    }, this.#waitMaxMs);
    this.#waiting.add(begin);
    return promise;
  }
}

function argon2id({ password, salt, memoryKib, passes, lanes, hashBytes }: HashRequest): Promise<Buffer> {
  const parameters = {
    message: password.normalize('NFC'),
    nonce: salt,
    parallelism: lanes,
    tagLength: hashBytes,
    memory: memoryKib,
    passes,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, digest) => (error === null ? resolve(digest) : reject(error)));
  });
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
