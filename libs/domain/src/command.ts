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
  upload_file: UploadFileData;
  download_file: { group: string; file: string };
  seed_file: { group: string; file: string; contentId: string };
  stop_share: { group: string; file: string; everywhere: boolean };
}

/** Data of `upload_file`: the content's id and what a downloader has to know before it has the manifest. */
export interface UploadFileData {
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

interface CommandRule {
  readonly sender: Sender;
  readonly fields: Readonly<Record<string, FieldProblem>>;
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
  upload_file: rule('session', {
    ...onFile,
    contentId: digest,
    totalBytes: natural,
    pieceBytes: natural,
    pieceCount: natural,
    hash: pieceHash,
  }),
  download_file: rule('session', onFile),
  seed_file: rule('session', { ...onFile, contentId: digest }),
  stop_share: rule('session', { ...onFile, everywhere: flag }),
};

/** Every command's name, sorted. */
export const COMMAND_NAMES = Object.keys(COMMANDS).sort() as readonly CommandName[];

/** Whether a text names a command. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** The first thing wrong with a command's data (unknown and missing fields included), or null. */
export function commandDataProblem(name: CommandName, data: unknown): { field: string; message: string } | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return { field: 'data', message: 'must be an object' };
  const { fields, checks } = COMMANDS[name];
  let unknown: string | null = null;
  for (const field of Object.keys(data)) {
    if (!Object.hasOwn(fields, field) && (unknown === null || field < unknown)) unknown = field;
  }
  if (unknown !== null) return { field: unknown, message: 'is not a field of this command' };
  for (const [field, problem] of checks) {
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
  return { sender, fields, checks: Object.entries(fields), stamps, content: content.sort(), sinceRules: 1 };
}
