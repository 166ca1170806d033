// What the audit says of a session that expired: the record that ended it, with what that record itself came to.
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { SESSION_LIFETIME_MS } from '#domain/session-term';
import { AuditOutput } from '../../../../apps/tracker/src/audit/audit-output.ts';
import { replay } from '../../../../apps/tracker/src/audit/replay.ts';
import { StateDifference } from '../../../../apps/tracker/src/audit/state-difference.ts';
import { showHistory } from '../../../../apps/tracker/src/audit/audit-verbs.ts';
import { base64Key, GoldenLog, one } from '../../../golden/growing-log.ts';
import { COMMITMENT } from '../../domain/log-of.ts';
import { sourceOf } from './sources.ts';

const storedOf = ({ records }: GoldenLog) =>
  records.map((record, offset) => ({ offset, value: Buffer.from(record), sealed: null, appendTimeMs: null }));

/** A log with alice, who is logged in. */
function logWithAlice(rulesVersion: number): GoldenLog {
  const log = new GoldenLog();
  log.by(one, { name: 'genesis', data: { logId: 'b'.repeat(64), rulesVersion, publicKey: base64Key(one) } });
  const about = { trackerId: one.id, publicKey: base64Key(one), address: '192.0.2.1:9001' };
  log.by(one, { name: 'register_tracker', data: about });
  const created = log.as('alice', { name: 'create_user', data: { user: 'alice', commitment: COMMITMENT } });
  log.as('alice', { name: 'login', data: { user: 'alice', credentialOffset: created } });
  return log;
}

/** The history of a user as it is printed. */
async function historyOf(log: GoldenLog, user: string, json: boolean): Promise<string> {
  const stream = new PassThrough();
  const source = sourceOf(storedOf(log));
  await showHistory(
    { source, out: new AuditOutput(() => {}, stream), json, onProgress: undefined },
    { kind: 'user', user },
  );
  stream.end();
  return text(stream);
}

it('a refused command that ends the session of its sender is refused, and ends it', async () => {
  const log = logWithAlice(2);
  log.wait(SESSION_LIFETIME_MS);
  const late = log.as('alice', { name: 'create_group', data: { group: 'g' } });
  const { history } = JSON.parse(await historyOf(log, 'alice', true)) as { history: object[] };
  const effects = [expect.objectContaining({ type: 'session_expired', user: 'alice' }) as object];
  expect(history.at(-1)).toMatchObject({ offset: late, outcome: 'rejected', reason: 'not_logged_in', effects });
  expect(await historyOf(log, 'alice', false)).toMatch(/refused: not_logged_in, session_expired\n$/);
});

it('rules that make sessions expire are the cause of what they do to those that there are', async () => {
  const log = logWithAlice(1);
  log.wait(SESSION_LIFETIME_MS);
  const before = await replay(sourceOf(storedOf(log)));
  const difference = new StateDifference(before.state);
  const offset = log.by(one, { name: 'activate_rules', data: { rulesVersion: 2 } });
  const visit: NonNullable<Parameters<typeof replay>[1]>['visit'] = (audited) => {
    if (audited.offset === offset) difference.note(audited);
  };
  const { state } = await replay(sourceOf(storedOf(log)), { visit });
  expect(difference.changesTo(state)).toMatchObject([
    { kind: 'rules', change: 'changed', cause: { offset } },
    { kind: 'session', change: 'changed', cause: { offset, command: 'activate_rules' } },
  ]);
});
