// Owns keys that follow from a name and a seed, so that ids, signatures and digests replay. There are no certificates here:
// the simulated network shows whose key it is by itself.
import { hash } from 'node:crypto';
import type { Identity } from '#identity/identity';
import { identityOfSecret } from '../unit/tracker/new-identity.ts';

/** The identity of a peer or tracker. */
export function identityOf(name: string): Identity {
  return identityOfSecret(hash('sha256', `simulated ${name}`, 'hex'));
}
