// Owns the commands: who may send each, the fields of its data, and which of those are stamps or secrets. Everything that
// lists commands (shape checks in `apply`, deduplication, the README's table) reads this one table.
import type { CheckpointRuling } from './checkpoint.ts';
import { fileNameProblem, userNameProblem } from './names.ts';

/** Piece hash of a share. */
export type PieceHash = 'sha1' | 'sha256';

/** Data of each command as it stands in the log. Names are NFC; ids and digests lowercase hex; sizes in bytes. */
export interface CommandData {
  genesis: { logId: string; rulesVersion: number; publicKey: string };
  register_tracker: { trackerId: string; publicKey: string; address: string };
  checkpoint: { note: string };
  activate_rules: { rulesVersion: number };
  resolve_checkpoint: { offset: number; counts: CheckpointRuling };
  reset_password: { user: string; commitment: string };
  create_user: { user: string; commitment: string };
  login: { user: string; credentialOffset: number };
  logout: Record<string, never>;
  renew_session: Record<string, never>;
  end_session: { peerId: string };
  change_password: { credentialOffset: number; commitment: string };
  create_group: { group: string };
  join_group: { group: string };
  leave_group: { group: string };
  accept_request: { group: string; user: string };
  reject_request: { group: string; user: string };
  remove_member: { group: string; user: string };
  transfer_ownership: { group: string; user: string };
  set_copies: { group: string; copies: number };
  upload_file: UploadFileData;
  download_file: FileData;
  seed_file: FileData & { contentId: string };
  stop_share: FileData & { everywhere: boolean };
}

/** A file of a group, and which version of it, since rules version 3. What is meant without one, each command says. */
export interface FileData {
  group: string;
  file: string;
  version?: number;
}

/** Data of `upload_file`. */
export interface UploadFileData extends PublishedData {
  /** The version that was the newest for whom this is to be the next one, since rules version 3; left out for a new name. */
  replaces?: number;
}

/** Content as it is published: its id and what a downloader has to know before it has the manifest. */
export interface PublishedData {
  group: string;
  file: string;
  contentId: string;
  totalBytes: number;
  pieceBytes: number;
  pieceCount: number;
  hash: PieceHash;
}

/** The names of all commands, as they stand in records. */
export type CommandName = keyof CommandData;

/** A command with its data. */
export type Command = { [Name in CommandName]: { name: Name; data: CommandData[Name] } }[CommandName];

/** Who may send a command: a peer without a session, a peer with one, or a tracker that signs the record. */
export type Sender = 'peer' | 'session' | 'tracker';

/** Since this version of the rules files have versions, and groups say how many copies they want. */
export const VERSIONS_RULES_VERSION = 3;
/** Most complete copies that a group can want of each of its files. */
export const COPIES_MAX = 100;

interface CommandRule {
  readonly sender: Sender;
  readonly fields: Readonly<Record<string, FieldProblem>>;
  /** Those that may be left out, with the first version of the rules that has them: before that they are none. */
  readonly optional: Readonly<Record<string, number>>;
  /** The fields once more, in their order. */
  readonly checks: readonly (readonly [field: string, problem: FieldProblem])[];
  /** Fields left out when two records of one id are compared: stamped by the tracker, or secret. */
  readonly stamps: readonly string[];
  /** The other fields, sorted. */
  readonly content: readonly string[];
  /** The first version of the rules that has it: before that such a record is malformed. */
  readonly sinceRules: number;
}

/** What is wrong with a field's value, as the end of a sentence about it, or null. */
type FieldProblem = (value: unknown) => string | null;

const userName: FieldProblem = (value) => (typeof value === 'string' ? userNameProblem(value) : 'must be a string');
const fileName: FieldProblem = (value) => (typeof value === 'string' ? fileNameProblem(value) : 'must be a string');
const digest: FieldProblem = (value) =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? null : 'must be 64 lowercase hex characters';
const natural: FieldProblem = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? null : 'must be an integer of 0 or more';
const text =
  (charactersMax: number): FieldProblem =>
  (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= charactersMax
      ? null
      : `must be a string of 1 to ${charactersMax} characters`;
const version: FieldProblem = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 1 ? null : 'must be an integer of 1 or more';
const copies: FieldProblem = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= COPIES_MAX
    ? null
    : `must be an integer from 0 to ${COPIES_MAX}`;
const flag: FieldProblem = (value) => (typeof value === 'boolean' ? null : 'must be true or false');
const pieceHash: FieldProblem = (value) => (value === 'sha1' || value === 'sha256' ? null : 'must be sha1 or sha256');
const ruling: FieldProblem = (value) =>
  value === 'checkpoint' || value === 'log' ? null : 'must be checkpoint or log';

const onGroup = { group: userName };
const onMember = { group: userName, user: userName };
const onFile = { group: userName, file: fileName };

/** Every command, of all versions of the rules. */
export const COMMANDS: Readonly<Record<CommandName, CommandRule>> = {
  genesis: rule('tracker', { logId: digest, rulesVersion: natural, publicKey: text(128) }),
  register_tracker: rule('tracker', { trackerId: digest, publicKey: text(128), address: text(300) }),
  checkpoint: rule('tracker', { note: text(4096) }),
  activate_rules: rule('tracker', { rulesVersion: natural }),
  resolve_checkpoint: rule('tracker', { offset: natural, counts: ruling }),
  reset_password: rule('tracker', { user: userName, commitment: digest }, ['commitment']),
  create_user: rule('peer', { user: userName, commitment: digest }, ['commitment']),
  login: rule('peer', { user: userName, credentialOffset: natural }, ['credentialOffset']),
  logout: rule('session', {}),
  renew_session: { ...rule('session', {}), sinceRules: 2 },
  end_session: rule('session', { peerId: digest }),
  change_password: rule('session', { credentialOffset: natural, commitment: digest }, [
    'credentialOffset',
    'commitment',
  ]),
  create_group: rule('session', onGroup),
  join_group: rule('session', onGroup),
  leave_group: rule('session', onGroup),
  accept_request: rule('session', onMember),
  reject_request: rule('session', onMember),
  remove_member: rule('session', onMember),
  transfer_ownership: rule('session', onMember),
  set_copies: { ...rule('session', { ...onGroup, copies }), sinceRules: VERSIONS_RULES_VERSION },
  upload_file: withOptional(
    {
      ...onFile,
      contentId: digest,
      totalBytes: natural,
      pieceBytes: natural,
      pieceCount: natural,
      hash: pieceHash,
    },
    { replaces: version },
  ),
  download_file: withOptional(onFile, { version }),
  seed_file: withOptional({ ...onFile, contentId: digest }, { version }),
  stop_share: withOptional({ ...onFile, everywhere: flag }, { version }),
};

/** Every command's name, sorted. */
export const COMMAND_NAMES = Object.keys(COMMANDS).sort() as readonly CommandName[];

/** Whether a text names a command. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** The first thing wrong with a command's data under a version of the rules (unknown and missing fields included), or null. */
export function commandDataProblem(
  name: CommandName,
  data: unknown,
  rulesVersion: number,
): { field: string; message: string } | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return { field: 'data', message: 'must be an object' };
  const { fields, optional, checks } = COMMANDS[name];
  let unknown: string | null = null;
  for (const field of Object.keys(data)) {
    const isKnown = Object.hasOwn(fields, field) && (optional[field] ?? 0) <= rulesVersion;
    if (!isKnown && (unknown === null || field < unknown)) unknown = field;
  }
  if (unknown !== null) return { field: unknown, message: 'is not a field of this command' };
  for (const [field, problem] of checks) {
    if (optional[field] !== undefined && !Object.hasOwn(data, field)) continue;
    const message = problem((data as Record<string, unknown>)[field]);
    if (message !== null) return { field, message };
  }
  return null;
}

/** What two records of one command id must share to be the same command: its name and data without stamps and secrets. */
export function commandContent(command: Command): string {
  const { name } = command;
  const data = command.data as Readonly<Record<string, unknown>>;
  const { fields, content } = COMMANDS[name];
  // In their order from the start: sorting what each record has took twice as long as all the rest of this.
  const parts: unknown[] = [name];
  for (const field of content) if (Object.hasOwn(data, field)) parts.push([field, data[field]]);
  for (const field of Object.keys(data)) if (!Object.hasOwn(fields, field)) parts.push([field, data[field]]);
  return JSON.stringify(parts);
}

function rule(
  sender: Sender,
  fields: Readonly<Record<string, FieldProblem>>,
  stamps: readonly string[] = [],
): CommandRule {
  const content = Object.keys(fields).filter((field) => !stamps.includes(field));
  const checks = Object.entries(fields);
  return { sender, fields, optional: {}, checks, stamps, content: content.sort(), sinceRules: 1 };
}

/** A session's command with fields that may be left out, all of them since rules version 3. */
function withOptional(
  fields: Readonly<Record<string, FieldProblem>>,
  more: Readonly<Record<string, FieldProblem>>,
): CommandRule {
  const optional = Object.fromEntries(Object.keys(more).map((field) => [field, VERSIONS_RULES_VERSION]));
  return { ...rule('session', { ...fields, ...more }), optional };
}
