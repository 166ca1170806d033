import { expect, it } from 'vitest';
import { PasswordGate } from '../../../../apps/tracker/src/control/password-gate.ts';
import { PasswordHasher } from '../../../../apps/tracker/src/credentials/password-hasher.ts';
import { Replica } from '../../../../apps/tracker/src/replica/replica.ts';
import { MemoryLog } from '../memory-log.ts';

const ATTEMPTS_AT_ONCE = 30;
const attempt = { user: 'alice', password: 'guess', address: '192.0.2.1' };

it('guesses made at once are paid for one by one', async () => {
  let nowMs = 0;
  const now = (): number => nowMs;
  const gate = new PasswordGate({
    replica: new Replica({ log: new MemoryLog(), now }),
    hasher: new PasswordHasher({ waitMaxMs: 60_000 }),
    now,
  });
  const atOnce = await Promise.all(Array.from({ length: ATTEMPTS_AT_ONCE }, () => gate.check(attempt)));
  expect(new Set(atOnce)).toEqual(new Set(['wrong_credentials']));
  // Ten are free, each of the others costs the ten seconds that it would have waited.
  nowMs = (ATTEMPTS_AT_ONCE - 10) * 10_000;
  expect(await gate.check(attempt)).toBe('rate_limited');
  expect(await gate.check({ ...attempt, address: '192.0.2.2' })).toBe('wrong_credentials');
  nowMs += 10_000;
  expect(await gate.check(attempt)).toBe('wrong_credentials');
});
