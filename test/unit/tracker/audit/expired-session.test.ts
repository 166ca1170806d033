// What the audit says of a session that expired: the record that ended it, with what that record itself came to.
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { SESSION_LIFETIME_MS } from '#domain/session-term';
import { AuditOutput } from '../../../../apps/tracker/src/audit/audit-output.ts';
import { showHistory } from '../../../../apps/tracker/src/audit/audit-verbs.ts';
import { base64Key, GoldenLog, one } from '../../../golden/growing-log.ts';
import { COMMITMENT } from '../../domain/log-of.ts';
import { sourceOf } from './sources.ts';

/** The history of a user as it is printed. */
async function historyOf({ records }: GoldenLog, user: string, json: boolean): Promise<string> {
  const stream = new PassThrough();
  const source = sourceOf(
    records.map((record, offset) => ({ offset, value: Buffer.from(record), sealed: null, appendTimeMs: null })),
  );
  await showHistory({ source, out: new AuditOutput(stream), json, onProgress: undefined }, { kind: 'user', user });
  stream.end();
  return text(stream);
}

it('a refused command that ends the session of its sender is refused, and ends it', async () => {
  const log = new GoldenLog();
  log.by(one, { name: 'genesis', data: { logId: 'b'.repeat(64), rulesVersion: 2, publicKey: base64Key(one) } });
  const created = log.as('alice', { name: 'create_user', data: { user: 'alice', commitment: COMMITMENT } });
  log.as('alice', { name: 'login', data: { user: 'alice', credentialOffset: created } });
  log.wait(SESSION_LIFETIME_MS);
  const late = log.as('alice', { name: 'create_group', data: { group: 'g' } });
  const { history } = JSON.parse(await historyOf(log, 'alice', true)) as { history: object[] };
  const effects = [expect.objectContaining({ type: 'session_expired', user: 'alice' }) as object];
  expect(history.at(-1)).toMatchObject({ offset: late, outcome: 'rejected', reason: 'not_logged_in', effects });
  expect(await historyOf(log, 'alice', false)).toMatch(/refused: not_logged_in, session_expired\n$/);
});
