// Owns passwords on their way in: who may try how often, the check against the hash in force, and the sealing of new ones.
// A plaintext is read here, hashed, and goes nowhere else.
import {
  MISSES_OF_ADDRESS_BURST_MAX,
  MISSES_OF_ADDRESS_REFILL_MS,
  MISSES_OF_BOTH_BURST_MAX,
  MISSES_OF_BOTH_REFILL_MS,
  MISSES_OF_USER_BURST_MAX,
  MISSES_OF_USER_REFILL_MS,
  NEW_USERS_BURST_MAX,
  NEW_USERS_REFILL_MS,
} from '#wire/limits';
import { sealPassword, type SealedPassword } from '../credentials/credentials.ts';
import { PasswordHasher, PasswordQueueFull } from '../credentials/password-hasher.ts';
import type { Replica } from '../replica/replica.ts';
import { networkOf } from '#wire/host-port';
import { RateLimit } from './rate-limit.ts';

/** Why a password is not looked at, or does not do. */
export type PasswordRefusal = 'rate_limited' | 'wrong_credentials' | 'busy';

interface PasswordAttempt {
  readonly user: string;
  readonly password: string;
  /** IP address of the peer. */
  readonly address: string;
}

/** Where every password passes. */
export class PasswordGate {
  readonly #replica: Replica;
  readonly #hasher: PasswordHasher;
  readonly #newUsers: RateLimit;
  readonly #missesOfAddress: RateLimit;
  readonly #missesOfUser: RateLimit;
  readonly #missesOfUserAtAddress: RateLimit;

  constructor(from: { replica: Replica; hasher: PasswordHasher; now: () => number }) {
    const { now } = from;
    this.#replica = from.replica;
    this.#hasher = from.hasher;
    this.#newUsers = new RateLimit({ burst: NEW_USERS_BURST_MAX, refillMs: NEW_USERS_REFILL_MS, now });
    this.#missesOfAddress = new RateLimit({
      burst: MISSES_OF_ADDRESS_BURST_MAX,
      refillMs: MISSES_OF_ADDRESS_REFILL_MS,
      now,
    });
    this.#missesOfUser = new RateLimit({ burst: MISSES_OF_USER_BURST_MAX, refillMs: MISSES_OF_USER_REFILL_MS, now });
    this.#missesOfUserAtAddress = new RateLimit({
      burst: MISSES_OF_BOTH_BURST_MAX,
      refillMs: MISSES_OF_BOTH_REFILL_MS,
      now,
    });
  }

  /** Seals the password of a new user. */
  async sealForNewUser({
    password,
    address,
  }: Omit<PasswordAttempt, 'user'>): Promise<SealedPassword | PasswordRefusal> {
    return this.#newUsers.take(networkOf(address)) ? this.seal(password) : 'rate_limited';
  }

  /** Seals a password for a record. */
  seal(password: string): Promise<SealedPassword | PasswordRefusal> {
    return orBusy(async () => sealPassword(await this.#hasher.hash(password)));
  }

  /** The offset of the credential that the password fits. An unknown user takes as long as a known one. */
  async check({ user, password, address }: PasswordAttempt): Promise<number | PasswordRefusal> {
    const network = networkOf(address);
    const userAtAddress = `${network} ${user}`;
    const hasAttempts =
      this.#missesOfAddress.allows(network) &&
      this.#missesOfUser.allows(user) &&
      this.#missesOfUserAtAddress.allows(userAtAddress);
    if (!hasAttempts) return 'rate_limited';
    // The offset is read before the hash: when the password changes meanwhile, `apply` says so.
    const credentialOffset = this.#replica.state.users.get(user)?.credentialOffset;
    const fits = await orBusy(() => this.#hasher.verify(password, this.#replica.passwordHashOf(user)));
    if (fits === 'busy') return fits;
    if (fits === true && credentialOffset !== undefined) return credentialOffset;
    // Only a miss costs an attempt, and many may have been let in while the first was being hashed.
    this.#missesOfAddress.charge(network);
    this.#missesOfUser.charge(user);
    this.#missesOfUserAtAddress.charge(userAtAddress);
    return 'wrong_credentials';
  }
}

async function orBusy<Value>(work: () => Promise<Value>): Promise<Value | 'busy'> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PasswordQueueFull) return 'busy';
    throw error;
  }
}
