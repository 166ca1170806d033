import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandMemory } from '../../../../apps/peer/src/control/command-memory.ts';
import { CommandRunner } from '../../../../apps/peer/src/control/command-runner.ts';
import { ProblemError } from '../../../../apps/peer/src/control/problem-error.ts';
import type { CommandAnswer } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { accepted, RecordedLink, RecordedTransfers, TRANSFER_ID } from './recorded-ports.ts';

const KEY = '11111111-1111-4111-8111-111111111111';
let directory: string;
let link: RecordedLink;
let transfers: RecordedTransfers;
let runner: CommandRunner;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cohort-runner-'));
  link = new RecordedLink();
  transfers = new RecordedTransfers();
  runner = newRunner();
});
afterEach(() => rmSync(directory, { recursive: true }));

function newRunner(): CommandRunner {
  return new CommandRunner({
    link,
    transfers,
    memory: new CommandMemory(join(directory, 'commands.ndjson'), () => undefined),
  });
}

const problemOf = async (running: Promise<unknown>): Promise<object> => {
  const error = await running.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProblemError);
  return (error as ProblemError).problem;
};

describe('a command for the trackers', () => {
  test('takes its id from the Idempotency-Key, in lower case, or gets one', async () => {
    const given = await runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY.toUpperCase() });
    const made = await runner.run('create_group', { group: 'films' });
    expect(given).toEqual({ status: 200, body: { commandId: KEY, offset: 1, result: {} } });
    expect(made.body.commandId).not.toBe(KEY);
    expect(link.sent.map(({ commandId }) => commandId)).toEqual([KEY, made.body.commandId]);
  });

  test('goes to the trackers under the id that its request is known by', async () => {
    await runner.run('create_group', { group: 'films' }, { correlationId: 'order-66' });
    await runner.run('upload_file', { group: 'films', path: '/a' }, { correlationId: 'order-67' });
    expect(link.sent[0]).toMatchObject({ correlationId: 'order-66' });
    expect(transfers.begun.at(-1)?.stamp).toMatchObject({ correlationId: 'order-67' });
  });

  test('is refused with a key that is no UUID', async () => {
    const problem = await problemOf(runner.run('logout', {}, { idempotencyKey: 'mine' }));
    expect(problem).toMatchObject({ code: 'invalid_request', errors: [{ field: 'Idempotency-Key' }] });
    expect(link.sent).toEqual([]);
  });

  test('that is repeated gets its first outcome, also after a restart, and is not sent again', async () => {
    const first = await runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY });
    expect(await runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY })).toEqual(first);
    expect(await newRunner().run('create_group', { group: 'films' }, { idempotencyKey: KEY })).toEqual(first);
    expect(link.sent).toHaveLength(1);
  });

  test('that is repeated while it runs joins the first', async () => {
    const answer = Promise.withResolvers<CommandAnswer>();
    link.answer = () => answer.promise;
    const both = [1, 2].map(() => runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY }));
    expect(await runner.stateOf(KEY)).toMatchObject({ state: 'pending' });
    answer.resolve(accepted(3));
    const [left, right] = await Promise.all(both);
    expect(left).toEqual(right);
    expect(link.sent).toHaveLength(1);
  });

  test('another one under the same key is refused', async () => {
    await runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY });
    const problem = await problemOf(runner.run('create_group', { group: 'books' }, { idempotencyKey: KEY }));
    expect(problem).toMatchObject({ status: 422, code: 'idempotency_key_reused', commandId: KEY });
  });

  test('that the log refused is refused again without being sent', async () => {
    link.answer = () => ({ status: 'rejected', reason: 'group_exists', offset: 4 });
    const first = await problemOf(runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY }));
    expect(first).toMatchObject({ status: 409, code: 'group_exists', offset: 4, commandId: KEY });
    expect(await problemOf(runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY }))).toEqual(first);
    expect(link.sent).toHaveLength(1);
    expect(await runner.stateOf(KEY)).toMatchObject({
      state: 'rejected',
      offset: 4,
      problem: { code: 'group_exists' },
    });
  });

  test('that found no tracker is sent again under the same id', async () => {
    link.answer = () => ({ status: 'failed', code: 'tracker_unavailable' });
    const problem = await problemOf(runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY }));
    expect(problem).toMatchObject({ status: 503, code: 'tracker_unavailable', retryable: true, commandId: KEY });
    link.answer = () => accepted(8);
    expect(await runner.run('create_group', { group: 'films' }, { idempotencyKey: KEY })).toMatchObject({
      body: { offset: 8 },
    });
    expect(link.sent.map(({ commandId }) => commandId)).toEqual([KEY, KEY]);
  });

  test('a logout whose answer was lost is repeated for the user who sent it', async () => {
    link.answer = () => ({ status: 'failed', code: 'outcome_unknown' });
    await problemOf(runner.run('logout', {}, { idempotencyKey: KEY }));
    link.currentUser = null;
    link.answer = () => accepted(5);
    await runner.run('logout', {}, { idempotencyKey: KEY });
    expect(link.sent.map(({ user }) => user)).toEqual(['alice', 'alice']);
  });
});

describe('a command that moves bytes', () => {
  const body = { group: 'films', path: '/a/b.bin' };

  test('is accepted with its transfer, and done when waited for', async () => {
    const result = { transferId: TRANSFER_ID };
    expect(await runner.run('upload_file', body, { idempotencyKey: KEY })).toEqual({
      status: 202,
      body: { commandId: KEY, offset: 9, result },
    });
    expect(await runner.run('upload_file', { ...body, wait: true }, { idempotencyKey: KEY })).toMatchObject({
      status: 200,
      body: { result },
    });
    expect(transfers.begun).toHaveLength(1);
  });

  test('that takes longer than it is waited for is accepted', async () => {
    transfers.ends = { state: 'running', offset: 9 };
    expect(
      await runner.run('download_file', { ...download(), wait: true, timeoutSeconds: 0 }, { idempotencyKey: KEY }),
    ).toMatchObject({
      status: 202,
    });
  });

  test('that fails while it is waited for says why', async () => {
    transfers.ends = { state: 'failed', detail: 'disk_full: no room' };
    const problem = await problemOf(
      runner.run('download_file', { ...download(), wait: true }, { idempotencyKey: KEY }),
    );
    expect(problem).toMatchObject({ status: 409, code: 'transfer_failed', offset: 9, detail: 'disk_full: no room' });
  });

  test('is pending until its record is written', async () => {
    transfers.offset = null;
    transfers.undecided.add(KEY);
    expect(await runner.run('upload_file', body, { idempotencyKey: KEY })).toMatchObject({
      status: 202,
      body: { offset: null },
    });
    expect(await runner.stateOf(KEY)).toMatchObject({ state: 'pending', offset: null });
  });

  const download = () => ({ group: 'films', file: 'b.bin', destination: '/a' });
});

test('a command that nobody knows is unknown', async () => {
  expect(await runner.stateOf(KEY)).toEqual({ state: 'unknown', offset: null, result: null, problem: null });
  expect(await problemOf(runner.stateOf('x'))).toMatchObject({ status: 404, code: 'command_not_found' });
});
