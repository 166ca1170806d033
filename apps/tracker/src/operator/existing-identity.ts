// Owns the key of a tracker that has one already, for commands that must not make one in a folder named by mistake.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { BadInput } from '#identity/start-input';

/** Rejects with BadInput when the data directory holds no key. */
export async function existingIdentity(dataDirectory: string): Promise<Identity> {
  try {
    await access(join(dataDirectory, 'identity.key'));
  } catch {
    throw new BadInput(
      `${dataDirectory} holds no tracker's key: give the --data-dir of a tracker, or make a key with cohort keys init`,
    );
  }
  return loadOrCreateIdentity(dataDirectory);
}
