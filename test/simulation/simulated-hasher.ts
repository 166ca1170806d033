// Owns password hashes of a simulation: of the shape that the product stores, one digest instead of argon2id, and as slow as
// that by simulated time.
import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PasswordHasher } from '../../apps/tracker/src/credentials/password-hasher.ts';

const HASH_MS_MAX = 60;

export class SimulatedHasher extends PasswordHasher {
  override async hash(password: string): Promise<string> {
    await sleep(Math.random() * HASH_MS_MAX);
    return phcOf(password);
  }

  override async verify(password: string, phc: string | null): Promise<boolean> {
    await sleep(Math.random() * HASH_MS_MAX);
    return phc === phcOf(password);
  }
}

/** By password: there are few. */
const known = new Map<string, string>();

function phcOf(password: string): string {
  const phc =
    known.get(password) ??
    `$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$${hash('sha256', password, 'base64').replace(/=+$/, '')}`;
  known.set(password, phc);
  return phc;
}
