// Owns the words behind `cohort tracker`, `fingerprint`, `keys`, `operator`, `audit`, `audit-keys`, `log` and `config`, and how each ends:
// exit codes and one sentence that says what to do.
import { Command as Program, CommanderError, Option } from 'commander';
import type { CheckpointRuling } from '#domain/checkpoint';
import type { RejectionReason } from '#domain/rejection';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { lockDataDir } from '#identity/data-dir-lock';
import { BadInput, dataDirectoryFor } from '#identity/start-input';
import { addSettings } from '#program/settings-options';
import {
  BESIDE_TRACKER_SETTINGS,
  KEY_SETTINGS,
  LOG_SETTINGS,
  TRACKER_SETTINGS,
  type TrackerFlags,
} from '#program/tracker-settings';
import { PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from '#wire/limits';
import { formatFingerprint } from '#wire/tracker-info';
import { addAuditCommands } from './audit/audit-program.ts';
import { addAuditKeyCommands } from './audit-keys-program.ts';
import { addConfigCommands } from './config-program.ts';
import { readConfiguration } from './configuration.ts';
import { endOf, EXIT } from './exit-codes.ts';
import { addLogCommands } from './log-copy/log-program.ts';
import { existingIdentity } from './operator/existing-identity.ts';
import type { OrderedCommand } from './operator/operator.ts';

// Loaded when asked for: printing a fingerprint needs neither the framework nor a driver.
const tracker = () => import('./run-tracker.ts');
const operators = () => import('./operator/operator.ts');
const secrets = () => import('./operator/secret-input.ts');

type DataDirFlags = Pick<TrackerFlags, 'dataDir'>;
type OperatorFlags = Pick<TrackerFlags, 'dataDir' | 'log' | 'kafkaClient'> & {
  counts: CheckpointRuling;
  force?: boolean;
};

/** What an operator asks of the log, and what it comes to when that is accepted. */
interface OperatorCommand {
  readonly command: OrderedCommand;
  readonly effect: string;
}

type Prepare = (word: string, flags: OperatorFlags) => Promise<OperatorCommand>;

function program(): Program {
  const root = new Program('cohort').exitOverride().showHelpAfterError('(--help lists the arguments)');
  const running = root
    .command('tracker')
    .description('run a tracker in the foreground until Ctrl-C')
    .argument('<tracker_info.txt>', 'the list of trackers, one a line: host:port [sha256:<fingerprint>]')
    .argument('<n>', 'which line this one is, counting trackers from 1')
    .action(async (file: string, n: string, flags: TrackerFlags) =>
      (await tracker()).runTracker(n, await readConfiguration(file, n, flags)),
    );
  addSettings(running, TRACKER_SETTINGS);
  const fingerprint = root.command('fingerprint').description("print a tracker's fingerprint for tracker_info.txt");
  addSettings(fingerprint, BESIDE_TRACKER_SETTINGS, KEY_SETTINGS).action(printFingerprint);
  const keys = root.command('keys').description("a tracker's keys").exitOverride();
  const init = keys.command('init').description('make the keys before the first start, and print the fingerprint');
  addSettings(init, TRACKER_SETTINGS, KEY_SETTINGS).action(initKeys);
  addConfigCommands(root);
  addOperatorCommands(root);
  addAuditCommands(root);
  addAuditKeyCommands(root);
  addLogCommands(root);
  return root;
}

function addOperatorCommands(root: Program): void {
  const operator = root.command('operator').description("commands signed with a tracker's key");
  const add = (usage: string, about: string, prepare: Prepare): Program =>
    addSettings(operator.command(usage).description(about), BESIDE_TRACKER_SETTINGS, LOG_SETTINGS).action(
      async (word: string, flags: OperatorFlags) => operate(await prepare(word, flags), flags),
    );
  add('reset_password <user>', 'set a password anew (asked for, or read from standard input)', async (user) => ({
    command: await (await operators()).passwordReset(user, await newPassword(user)),
    effect: `${user} has a new password, and is logged out everywhere`,
  }));
  add('activate_rules <version>', 'put a newer version of the rules in force', async (text, { force = false }) => ({
    command: (await operators()).rulesActivation(natural(text), { isForced: force, tell: warn }),
    effect: `version ${text} of the rules is in force`,
  })).option('--force', 'also while a tracker runs that does not know it, and stops there');
  add(
    'resolve_checkpoint <offset>',
    'rule what counts: a checkpoint that did not agree, or the log',
    async (text, by) => ({
      command: (await operators()).checkpointResolution(natural(text), by.counts),
      effect:
        by.counts === 'log'
          ? `what the log replays to counts, not the checkpoint at offset ${text}`
          : `the checkpoint at offset ${text} counts, not what trackers have that differ from it`,
    }),
  ).addOption(
    new Option('--counts <which>', 'which is right: log (what it replays to) or checkpoint')
      .choices(['log', 'checkpoint'])
      .default('log'),
  );
}

async function printFingerprint(flags: DataDirFlags): Promise<void> {
  show(await existingIdentity(dataDirectoryFor('tracker', flags.dataDir)));
}

function show({ id }: Identity): void {
  process.stdout.write(`${formatFingerprint(id)}\n`);
}

async function initKeys(flags: DataDirFlags): Promise<void> {
  const dataDirectory = dataDirectoryFor('tracker', flags.dataDir);
  const lock = lockDataDir(dataDirectory);
  try {
    show(await loadOrCreateIdentity(dataDirectory));
  } finally {
    lock.release();
  }
}

/** Why the log refuses what an operator asks. */
const REFUSALS: Readonly<Partial<Record<RejectionReason, string>>> = {
  user_not_found: 'there is no such user',
  rules_unknown: 'the rules in force are as new as that or newer',
  checkpoint_not_found: 'the record at that offset is no checkpoint',
};

async function operate({ command, effect }: OperatorCommand, flags: OperatorFlags): Promise<void> {
  const { runOperatorCommand } = await operators();
  const done = await runOperatorCommand(
    {
      dataDirectory: dataDirectoryFor('tracker', flags.dataDir),
      logUrl: flags.log,
      kafkaClientFile: flags.kafkaClient,
    },
    command,
  );
  if (done === null) {
    process.stderr.write('cohort: no answer came in time: the command may have run; look before you repeat it\n');
    process.exitCode = EXIT.outcomeUnknown;
  } else if (done.outcome.status === 'rejected') {
    const { reason } = done.outcome;
    process.stderr.write(`cohort: refused at offset ${done.offset}: ${REFUSALS[reason] ?? reason} (${reason})\n`);
    process.exitCode = reason.endsWith('_not_found') ? EXIT.unknownThing : EXIT.badInput;
  } else {
    process.stdout.write(`accepted at offset ${done.offset}: ${effect}\n`);
  }
}

async function newPassword(user: string): Promise<string> {
  const { chosenSecret } = await secrets();
  const password = await chosenSecret(`New password for ${user} (${PASSWORD_CHARACTERS_MIN} characters or more): `);
  if (password === null) throw new BadInput('the two passwords differ: nothing was changed, try again');
  if (password.length >= PASSWORD_CHARACTERS_MIN && password.length <= PASSWORD_CHARACTERS_MAX) return password;
  throw new BadInput(`a password has ${PASSWORD_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX} characters`);
}

function warn(message: string): void {
  process.stderr.write(`cohort: ${message}\n`);
}

function natural(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new BadInput(`"${text}" is not a number of 0 or more`);
}

function endWith(error: unknown): void {
  if (error instanceof CommanderError) {
    // Commander has printed its own sentence.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    return;
  }
  const { code, message } = endOf(error);
  process.stderr.write(`cohort: ${message}\n`);
  process.exitCode = code;
}

process.on('uncaughtException', (error) => {
  process.stderr.write(`cohort: this is a bug: ${error.stack ?? error.message}\n`);
  process.exit(EXIT.bug);
});

try {
  await program().parseAsync();
} catch (error) {
  endWith(error);
}
// Whatever still hangs, a connection that is slow to close say, does not keep the process.
setTimeout(() => process.exit(), 500).unref();
