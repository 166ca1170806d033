// Owns the words behind `cohort audit-keys`: how an operator lets auditors ask a tracker over HTTP, and no longer.
import { join } from 'node:path';
import type { Command as Program } from 'commander';
import { dataDirectoryFor } from '#identity/start-input';
import { addSettings } from '#program/settings-options';
import { BESIDE_TRACKER_SETTINGS, KEY_SETTINGS } from '#program/tracker-settings';
import { type Column, renderTable } from '#wire/text-table';
import { existingIdentity } from './operator/existing-identity.ts';
import { AUDIT_KEYS_FOLDER, type AuditKey, AuditKeys } from './audit/audit-keys.ts';
import { UnknownThing } from './audit/unknown-thing.ts';

interface DataDirFlags {
  readonly dataDir?: string;
}

/** Adds `audit-keys` with its verbs. */
export function addAuditKeyCommands(root: Program): void {
  const keys = root.command('audit-keys').description("keys for the audit views at a tracker's --http port");
  const add = (usage: string, about: string): Program =>
    addSettings(keys.command(usage).description(about), BESIDE_TRACKER_SETTINGS, KEY_SETTINGS);
  add('create <name>', 'make a key for somebody, and print it this once').action(
    async (name: string, flags: DataDirFlags) => {
      const { keyId, key } = await (await keysOf(flags)).create(name);
      process.stdout.write(`${key}\n`);
      process.stderr.write(`key ${keyId} of ${name}: it is shown only now, and counts at once\n`);
    },
  );
  add('list', 'the keys that there are').action(async (flags: DataDirFlags) => {
    process.stdout.write(renderTable(await (await keysOf(flags)).list(), COLUMNS, 'nobody has a key'));
  });
  add('delete <keyId>', 'end a key at once').action(async (keyId: string, flags: DataDirFlags) => {
    if (!(await (await keysOf(flags)).delete(keyId))) {
      throw new UnknownThing(`there is no key ${keyId}: cohort audit-keys list shows those there are`);
    }
    process.stdout.write(`key ${keyId} is worth nothing any more\n`);
  });
}

const COLUMNS: Column<AuditKey>[] = [
  { heading: 'keyId', text: ({ keyId }) => keyId },
  { heading: 'name', text: ({ name }) => name },
  { heading: 'created', text: ({ createdAt }) => createdAt },
];

/** Only where a tracker has its key: a folder that was named by mistake gets none. */
async function keysOf({ dataDir }: DataDirFlags): Promise<AuditKeys> {
  const dataDirectory = dataDirectoryFor('tracker', dataDir);
  await existingIdentity(dataDirectory);
  return new AuditKeys(join(dataDirectory, AUDIT_KEYS_FOLDER));
}
