// What each command consists of, as a table of its own: a change of a command's shape is a change here.
import { describe, expect, it } from 'vitest';
import {
  type Command,
  COMMAND_NAMES,
  commandContent,
  type CommandData,
  commandDataProblem,
  type CommandName,
  COMMANDS,
  isCommandName,
  type Sender,
} from '#domain/command';
import { NEWEST_RULES_VERSION } from '#domain/decide';

const HEX = '0123456789abcdef'.repeat(4);
const onGroup = { group: 'g' };
const onMember = { group: 'g', user: 'u' };
const onFile = { group: 'g', file: 'f' };
const sizes = { totalBytes: 0, pieceBytes: 1, pieceCount: 2 };

type Shapes = {
  readonly [Name in CommandName]: readonly [Sender, CommandData[Name], stamps?: readonly string[]];
};

const shapes: Shapes = {
  genesis: ['tracker', { logId: HEX, rulesVersion: 0, publicKey: 'k' }],
  register_tracker: ['tracker', { trackerId: HEX, publicKey: 'k', address: 'a' }],
  checkpoint: ['tracker', { note: 'n' }],
  activate_rules: ['tracker', { rulesVersion: 2 }],
  resolve_checkpoint: ['tracker', { offset: 0, counts: 'log' }],
  reset_password: ['tracker', { user: 'u', commitment: HEX }, ['commitment']],
  create_user: ['peer', { user: 'u', commitment: HEX }, ['commitment']],
  login: ['peer', { user: 'u', credentialOffset: 1 }, ['credentialOffset']],
  logout: ['session', {}],
  renew_session: ['session', {}],
  end_session: ['session', { peerId: HEX }],
  change_password: ['session', { credentialOffset: 1, commitment: HEX }, ['credentialOffset', 'commitment']],
  create_group: ['session', onGroup],
  join_group: ['session', onGroup],
  leave_group: ['session', onGroup],
  accept_request: ['session', onMember],
  reject_request: ['session', onMember],
  remove_member: ['session', onMember],
  transfer_ownership: ['session', onMember],
  set_copies: ['session', { ...onGroup, copies: 2 }],
  upload_file: ['session', { ...onFile, contentId: HEX, ...sizes, hash: 'sha1' }],
  download_file: ['session', onFile],
  seed_file: ['session', { ...onFile, contentId: HEX }],
  stop_share: ['session', { ...onFile, everywhere: true }],
};

const problemOf = (name: CommandName, data: unknown, rulesVersion = NEWEST_RULES_VERSION) =>
  commandDataProblem(name, data, rulesVersion);

const without = (data: object, field: string): object =>
  Object.fromEntries(Object.entries(data).filter(([name]) => name !== field));

describe.each(COMMAND_NAMES)('%s', (name) => {
  const [sender, data, stamps = []] = shapes[name] as readonly [
    Sender,
    Readonly<Record<string, unknown>>,
    (readonly string[])?,
  ];

  it('is sent by whom it says, with exactly its fields', () => {
    expect(COMMANDS[name].sender).toBe(sender);
    expect(problemOf(name, data)).toBeNull();
    for (const field of Object.keys(data)) {
      expect(problemOf(name, without(data, field))).toMatchObject({ field });
    }
  });

  it('is the same command whatever its stamps and secrets are, and another one by any other field', () => {
    const content = commandContent({ name, data } as unknown as Command);
    for (const field of Object.keys(data)) {
      const changed = commandContent({ name, data: { ...data, [field]: 'another' } } as unknown as Command);
      expect(changed === content, field).toBe(stamps.includes(field));
    }
  });
});

it('every command has a name of its own, in order, and nothing else is one', () => {
  expect(COMMAND_NAMES).toEqual(Object.keys(shapes).sort());
  expect(COMMAND_NAMES.every(isCommandName)).toBe(true);
  expect(['', 'drop_user', 'toString', 'constructor'].filter(isCommandName)).toEqual([]);
});

it('one command has one content, in whatever order its fields came, and another command another', () => {
  const content = '["accept_request",["group","g"],["user","u"]]';
  expect(commandContent({ name: 'accept_request', data: { user: 'u', group: 'g' } })).toBe(content);
  expect(commandContent({ name: 'accept_request', data: onMember })).toBe(content);
  expect(commandContent({ name: 'reject_request', data: onMember })).not.toBe(content);
  const surplus = { ...onMember, surplus: 1 };
  expect(commandContent({ name: 'accept_request', data: surplus })).not.toBe(content);
});

it.each([null, undefined, 'text', 7, []])('data that is %j is no object', (data) => {
  expect(problemOf('logout', data)).toEqual({ field: 'data', message: 'must be an object' });
});

it('the first unknown field by name is told before what is wrong with the known ones', () => {
  const problem = problemOf('create_group', { z: 1, a: 1, group: 7 });
  expect(problem).toEqual({ field: 'a', message: 'is not a field of this command' });
  expect(problemOf('create_group', { ...onGroup, constructor: 1 })).toMatchObject({ field: 'constructor' });
});

const HEX_PROBLEM = 'must be 64 lowercase hex characters';
const NATURAL_PROBLEM = 'must be an integer of 0 or more';
const textProblem = (charactersMax: number): string => `must be a string of 1 to ${charactersMax} characters`;

it.each<[CommandName, string, readonly unknown[], string]>([
  ['create_group', 'group', [7, null], 'must be a string'],
  ['create_group', 'group', [''], 'must not be empty'],
  ['create_group', 'group', ['g'.repeat(65)], 'must be at most 64 bytes of UTF-8'],
  ['download_file', 'file', [7, null], 'must be a string'],
  ['download_file', 'file', ['f'.repeat(256)], 'must be at most 255 bytes of UTF-8'],
  ['end_session', 'peerId', [7, [HEX], `${HEX}0`, `0${HEX}`, HEX.slice(1), HEX.toUpperCase(), `${HEX}\n`], HEX_PROBLEM],
  ['activate_rules', 'rulesVersion', [-1, 0.5, 2 ** 53, '1', null, Number.NaN], NATURAL_PROBLEM],
  ['checkpoint', 'note', [7, '', 'n'.repeat(4097)], textProblem(4096)],
  ['register_tracker', 'publicKey', [7, '', 'k'.repeat(129)], textProblem(128)],
  ['register_tracker', 'address', [['a'], '', 'a'.repeat(301)], textProblem(300)],
  ['genesis', 'publicKey', ['k'.repeat(129)], textProblem(128)],
  ['stop_share', 'everywhere', [0, 'true', null], 'must be true or false'],
  ['upload_file', 'hash', ['md5', '', null], 'must be sha1 or sha256'],
  ['resolve_checkpoint', 'counts', ['me', '', null], 'must be checkpoint or log'],
  ['set_copies', 'copies', [-1, 101, 0.5, '2', null], 'must be an integer from 0 to 100'],
  ['download_file', 'version', [0, -1, 1.5, '1', null, undefined], 'must be an integer of 1 or more'],
  ['upload_file', 'replaces', [0, 2 ** 53, null], 'must be an integer of 1 or more'],
])('%s with %s of %j is refused', (name, field, values, message) => {
  for (const value of values) {
    expect(problemOf(name, { ...shapes[name][1], [field]: value }), String(value)).toEqual({ field, message });
  }
});

it.each<[CommandName, string, readonly unknown[]]>([
  ['create_group', 'group', ['g'.repeat(64)]],
  ['download_file', 'file', ['f'.repeat(255)]],
  ['activate_rules', 'rulesVersion', [0, 2 ** 53 - 1]],
  ['checkpoint', 'note', ['n'.repeat(4096)]],
  ['register_tracker', 'publicKey', ['k'.repeat(128)]],
  ['register_tracker', 'address', ['a'.repeat(300)]],
  ['genesis', 'publicKey', ['k'.repeat(128)]],
  ['stop_share', 'everywhere', [true, false]],
  ['upload_file', 'hash', ['sha1', 'sha256']],
  ['resolve_checkpoint', 'counts', ['checkpoint', 'log']],
  ['set_copies', 'copies', [0, 100]],
  ['download_file', 'version', [1, 2 ** 53 - 1]],
  ['seed_file', 'version', [1]],
  ['stop_share', 'version', [1]],
  ['upload_file', 'replaces', [1]],
])('%s with %s of %j is taken', (name, field, values) => {
  for (const value of values) expect(problemOf(name, { ...shapes[name][1], [field]: value })).toBeNull();
});

it.each<[CommandName, string]>([
  ['upload_file', 'replaces'],
  ['download_file', 'version'],
  ['seed_file', 'version'],
  ['stop_share', 'version'],
])('%s has %s since version 3 of the rules, and may be without it', (name, field) => {
  const data = { ...shapes[name][1], [field]: 1 };
  for (const rulesVersion of [0, 1, 2]) {
    expect(problemOf(name, data, rulesVersion)).toEqual({ field, message: 'is not a field of this command' });
    expect(problemOf(name, shapes[name][1], rulesVersion)).toBeNull();
  }
  expect(problemOf(name, data, 3)).toBeNull();
});
