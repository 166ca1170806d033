import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openSealed, sealPassword } from '../../../../apps/tracker/src/credentials/credentials.ts';
import { PasswordHasher, PasswordQueueFull } from '../../../../apps/tracker/src/credentials/password-hasher.ts';

describe('the password hasher', () => {
  it('verifies a password against its own hash, and no other', async () => {
    const hasher = new PasswordHasher();
    const phc = await hasher.hash('correct horse');
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hasher.verify('correct horse', phc)).toBe(true);
    expect(await hasher.verify('correct horsf', phc)).toBe(false);
  });

  it('takes a composed and a decomposed letter for the same', async () => {
    const hasher = new PasswordHasher();
    expect(await hasher.verify('caf\u0065\u0301', await hasher.hash('caf\u00e9'))).toBe(true);
  });

  it.each([null, '', 'plain', '$argon2id$v=19$m=1,t=1,p=1$x$y'])(
    'says no to the hash %j, and hashes all the same',
    async (phc) => {
      expect(await new PasswordHasher().verify('password', phc)).toBe(false);
    },
  );

  it('refuses what its queue does not take, and goes on with the rest', async () => {
    const hasher = new PasswordHasher({ concurrency: 1, queueMax: 1 });
    const first = hasher.hash('a');
    const second = hasher.hash('b');
    await expect(hasher.hash('c')).rejects.toBeInstanceOf(PasswordQueueFull);
    expect(hasher.queued).toBe(1);
    await Promise.all([first, second]);
    await expect(hasher.hash('d')).resolves.toMatch(/^\$argon2id/);
  });

  it('refuses what does not get its turn in time', async () => {
    const hasher = new PasswordHasher({ concurrency: 1, waitMaxMs: 0 });
    const first = hasher.hash('a');
    await expect(hasher.hash('b')).rejects.toBeInstanceOf(PasswordQueueFull);
    expect(hasher.queued).toBe(0);
    await first;
    await expect(hasher.hash('c')).resolves.toMatch(/^\$argon2id/);
  });
});

describe('a sealed password', () => {
  it('opens with its commitment only', () => {
    const { sealed, commitment } = sealPassword('$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA');
    expect(openSealed(sealed, commitment)).toBe('$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA');
    expect(openSealed(sealed, 'e'.repeat(64))).toBeNull();
    expect(openSealed(null, commitment)).toBeNull();
    expect(openSealed(sealed.replace('19456', '19457'), commitment)).toBeNull();
  });

  it('commits with SHA-256 of nonce and hash', () => {
    const { sealed, commitment } = sealPassword('$argon2id$x');
    const [nonce, phc] = sealed.split(' ');
    const expected = createHash('sha256').update(Buffer.from(nonce!, 'base64url')).update(phc!).digest('hex');
    expect(commitment).toBe(expected);
  });
});
