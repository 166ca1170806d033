import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CommandMemory } from '../../../../apps/peer/src/control/command-memory.ts';

const ID = '11111111-1111-4111-8111-111111111111';
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cohort-memory-'));
  path = join(directory, 'commands.ndjson');
});
afterEach(() => rmSync(directory, { recursive: true }));

const fail = (_path: string, error: Error): never => {
  throw error;
};
const use = (change: object = {}) =>
  ({ commandId: ID, command: 'create_group', body: { group: 'films' }, user: 'alice', ...change }) as const;

test('a repeat is the same entry, whatever the order of its fields', () => {
  const memory = new CommandMemory(path, fail);
  const first = memory.begin(use({ command: 'accept_request', body: { group: 'films', user: 'bob' } }));
  expect(memory.begin(use({ command: 'accept_request', body: { user: 'bob', group: 'films' } }))).toBe(first);
});

test('another body, or another command, under the same id is none', () => {
  const memory = new CommandMemory(path, fail);
  memory.begin(use());
  expect(memory.begin(use({ body: { group: 'books' } }))).toBeNull();
  expect(memory.begin(use({ command: 'join_group' }))).toBeNull();
});

test('an id belongs to who is logged in: another user may have the same', () => {
  const memory = new CommandMemory(path, fail);
  const ofAlice = memory.begin(use());
  const ofBob = memory.begin(use({ user: 'bob', body: { group: 'books' } }));
  expect(ofBob).not.toBeNull();
  expect(ofBob).not.toBe(ofAlice);
});

test('a logout is found again when nobody is logged in any more', () => {
  const memory = new CommandMemory(path, fail);
  const first = memory.begin(use({ command: 'logout', body: {} }));
  const repeated = memory.begin(use({ command: 'logout', body: {}, user: null }));
  expect(repeated).toBe(first);
  expect(repeated?.user).toBe('alice');
});

test('how long to wait does not make another command', () => {
  const memory = new CommandMemory(path, fail);
  const first = memory.begin(use({ body: { group: 'films', wait: true, timeoutSeconds: 3 } }));
  expect(memory.begin(use({ body: { group: 'films' } }))).toBe(first);
});

test('outcomes are kept over a restart, and a line that a crash cut off is not missed', () => {
  const before = new CommandMemory(path, fail);
  const entry = before.begin(use());
  before.settle(entry!, { status: 'accepted', offset: 7, result: { groupId: 7 } });
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"commandId":"222`);
  const after = new CommandMemory(path, fail);
  expect(after.begin(use())?.outcome).toEqual({ status: 'accepted', offset: 7, result: { groupId: 7 } });
  expect(after.begin(use({ body: { group: 'books' } }))).toBeNull();
  expect(after.find(ID, 'alice')?.outcome?.offset).toBe(7);
  expect(after.find(ID, 'bob')).toBeNull();
});

test('no password reaches the file, not even as a hash of its own', () => {
  const memory = new CommandMemory(path, fail);
  memory.begin(use({ command: 'login', body: { user: 'alice', password: 'first secret' }, user: null }));
  const withSecret = readFileSync(path, 'utf8');
  expect(withSecret).not.toContain('first secret');
  expect(
    memory.begin(use({ command: 'login', body: { user: 'alice', password: 'other' }, user: null })),
  ).not.toBeNull();
});
