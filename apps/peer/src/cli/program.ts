// Owns the command line's grammar: every command with its arguments and flags, and running one line of words to an exit
// code. `main.ts` runs the words of the process, `shell.ts` those of each line typed.
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { completeCommand, type CompleteFlags } from './complete-command.ts';
import { completionScript, programPlace, type ShellName, SHELLS } from './completion-scripts.ts';
import { doctor, type DoctorFlags } from './doctor/doctor.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { failureOf } from './failure.ts';
import {
  type DownloadFlags,
  downloadFile,
  seedFile,
  stopShare,
  uploadFile,
  type UploadFlags,
  type VersionFlag,
} from './file-commands.ts';
import { grammarOf } from './grammar.ts';
import { type GlobalFlags, Invocation } from './invocation.ts';
import { consent, type ConsentFlags } from './last-copies.ts';
import { type LimitFlags, showLimits, typedCount, typedRate } from './limit-commands.ts';
import { type LinkFlags, printLink } from './link-command.ts';
import { LOG_COMMANDS } from './log-commands.ts';
import { openPage, type OpenFlags } from './open-command.ts';
import { recheck, type RecheckFlags } from './recheck-command.ts';
import { collected, prioritize as prioritizeTransfer, type PriorityFlags } from './selection-commands.ts';
import { runShell } from './shell.ts';
import type { Terminal } from './terminal.ts';
import * as views from './view-commands.ts';

/** Where a line of words runs. */
export interface LineContext {
  readonly terminal: Terminal;
  /** Begins a stretch of work, which Ctrl-C ends by aborting the signal. */
  readonly interruptible: () => AbortSignal;
  /** Flags of the prompt that the line was typed at; the line's own come first. */
  readonly inherited: GlobalFlags;
  /** Whether it was typed at the prompt of `cohort shell`, or stands in what that reads. */
  readonly isAtPrompt?: boolean;
}

type Words<Count extends 1 | 2 | 3> = Count extends 1
  ? readonly [string]
  : Count extends 2
    ? readonly [string, string]
    : readonly [string, string, string];

/** Runs one command to its end. Whatever happens is told on the terminal; it never throws. */
export async function runLine(words: readonly string[], context: LineContext): Promise<ExitCode> {
  const program = buildProgram(context);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    const { exitCode, text, document } = failureOf(error);
    const isJson = program.opts<GlobalFlags>().json ?? context.inherited.json ?? false;
    if (isJson && document !== null) context.terminal.note(`${JSON.stringify(document)}\n`);
    else if (text !== '') context.terminal.note(`${text}\n`);
    return exitCode;
  }
}

function buildProgram(context: LineContext): Command {
  const { terminal, interruptible, inherited, isAtPrompt = false } = context;
  const program = new Command('cohort');
  // Subcommands copy these when they are made, so they come first.
  program.exitOverride().configureOutput({
    writeOut: (text) => terminal.out(text),
    writeErr: (text) => terminal.note(text),
  });
  const flags = (): GlobalFlags => ({ ...inherited, ...program.opts<GlobalFlags>() });
  const start = (): Invocation => new Invocation({ terminal, interrupt: interruptible(), flags: flags(), isAtPrompt });
  describe(program);
  addLogCommands(program, start);
  addFileCommands(program, start);
  addViews(program, start);
  addTransferCommands(program, start);
  addLimits(program, start);
  addDoctor(program, start);
  addShells(program, { ...context, flags });
  addHelp(program);
  return program;
}

function addDoctor(program: Command, start: () => Invocation): void {
  const command = program
    .command('doctor [address] [tracker_info.txt]')
    .description('look at the set-up of a peer, running or not, and say what is wrong and what to do')
    .option('--control <host:port>', 'where the control endpoint is to listen, when not at the usual port');
  command.action(() => doctor(start(), command.args, command.opts<DoctorFlags>()));
}

/** The prompt, and what other shells complete lines with. */
function addShells(program: Command, { flags, ...context }: LineContext & { readonly flags: () => GlobalFlags }): void {
  const { terminal } = context;
  const run = async (words: readonly string[]): Promise<void> => {
    await runLine(words, { ...context, inherited: flags(), isAtPrompt: true });
  };
  program
    .command('shell')
    .description('a prompt for the same commands, which completes them and remembers what was typed')
    .action(() => runShell({ terminal, grammar: grammarOf(program), flags: flags(), run }));
  program
    .command('completion')
    .description('print a script with which a shell completes commands, flags and names')
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
    .action((shell: ShellName) => terminal.out(completionScript(shell, programPlace())));
  const completing = program.command('complete [words...]', { hidden: true }).option('--bash <characters>');
  completing.action((words: readonly string[]) =>
    completeCommand({ terminal, grammar: grammarOf(program) }, words, completing.opts<CompleteFlags>()),
  );
}

/** Commander's own answers an unknown name with the whole list and no word on what is wrong. */
function addHelp(program: Command): void {
  program
    .helpCommand(false)
    .command('help [command]')
    .description('this list, or what a command takes')
    .action((name: string | undefined) => {
      const command = name === undefined ? program : program.commands.find((known) => known.name() === name);
      if (command === undefined) program.error(`error: unknown command '${name}'`);
      else command.outputHelp();
    });
}

function describe(program: Command): void {
  program
    .description('Shares files in groups through the peer that runs on this machine.')
    .option('--data-dir <folder>', 'data directory of the peer to talk to (COHORT_DATA_DIR)')
    .option('--control-token-file <file>', 'where its token is, when not there (COHORT_CONTROL_TOKEN_FILE)')
    .option('--json', 'print the answer as one line of JSON')
    .option('--command-id <uuid>', 'repeat a command whose outcome is unknown under its own id')
    .showHelpAfterError('(cohort --help lists the commands)')
    .addHelpText(
      'after',
      `
Programs that keep running (each has its own --help):
  cohort peer <ip>:<port> <tracker_info.txt>  a peer
  cohort tracker <tracker_info.txt> <n>       a tracker
  cohort config peer | tracker                what it would be told, setting by setting, and from where

For who runs a tracker (each has its own --help):
  cohort keys init                            make its key before its first start
  cohort fingerprint                          print its line's fingerprint for tracker_info.txt
  cohort operator <command>                   set a password anew, and other commands signed with its key
  cohort audit <verb>                         replay the log and know what was true
  cohort audit-keys <verb>                    keys for those who ask the same over HTTP
  cohort log <verb>                           move a log, back it up, restore it

Exit codes: 0 ok, 64 bad input, 65 conflict, 66 unknown thing, 69 unavailable, 70 bug, 75 outcome unknown,
77 refused, 130 interrupted; of recheck also 1 still damaged, 2 not there or not to be read; of doctor 69 for a problem.`,
    );
}

function addLogCommands(program: Command, start: () => Invocation): void {
  for (const [name, { usage, summary, run, takesAway }] of Object.entries(LOG_COMMANDS)) {
    const command = program.command(`${name} ${usage}`.trim()).description(summary);
    if (takesAway !== undefined) command.addOption(yes());
    command.action(async () => {
      const invocation = start();
      const words = command.processedArgs as string[];
      if (takesAway !== undefined) await consent(invocation, takesAway(...words), command.opts<ConsentFlags>());
      await run(invocation, ...words);
    });
  }
}

/** `--yes` of a command that can take the last copy of something away. */
function yes(): Option {
  return new Option('--yes', 'go ahead without a question, also when nobody else online has all of what is taken away');
}

function addFileCommands(program: Command, start: () => Invocation): void {
  const detach = new Option('--detach', 'do not wait: the peer does the work anyway');
  const upload = program
    .command('upload_file <group> <path>')
    .description('share a file or folder in a group (path and group may change places)')
    .option('--name <name>', 'its name in the group, when not that of the path')
    .addOption(new Option('--hash <hash>', 'digest of its pieces').choices(['sha1', 'sha256']))
    .option(
      '--exclude <glob>',
      'leave out of a folder what has such a path in it, like *.tmp or build/**; may be given several times',
      collected,
    )
    .option(
      '--update',
      'publish it as the next version of what has that name (who shared it, or the owner of the group)',
    )
    .addOption(detach);
  upload.action(() => uploadFile(start(), wordsOf<2>(upload), upload.opts<UploadFlags>()));
  const download = program
    .command('download_file <group> <file> <destination>')
    .description('fetch a file of a group; the destination is a folder, or the path of the file to be')
    .addOption(new Option('--strategy <strategy>', 'order of pieces').choices(['random', 'rarest-first', 'sequential']))
    .option('--overwrite', 'replace what is at the destination')
    .addOption(version('which version, when not the newest'))
    .option('--only <glob>', 'of a folder only what matches, in paths below it; may be given several times', collected)
    .addOption(detach);
  download.action(() => downloadFile(start(), wordsOf<3>(download), download.opts<DownloadFlags>()));
  const seed = program
    .command('seed_file <group> <file> <path>')
    .description('serve a copy that is on this disk already, after checking it')
    .addOption(version('which version it is, when not the newest'));
  seed.action(() => seedFile(start(), wordsOf<3>(seed), seed.opts<VersionFlag>()));
  const stop = program
    .command('stop_share <group> <file>')
    .description('stop serving a file from this peer; nothing on disk is deleted')
    .option('--everywhere', 'take it out of the group (who shared it, or the owner of the group)')
    .addOption(version('only this version, when not all of them'))
    .addOption(yes());
  stop.action(() => stopShare(start(), wordsOf<2>(stop), stop.opts()));
  const link = program
    .command('link <group> <file>')
    .description('print an address at which a player finds a file of a group, here or not')
    .option('--path <path>', 'which file of a folder, like inner/film.mkv')
    .addOption(version('which version, when not the newest'))
    .option('--keep', 'what is fetched for it stays, as if it had been downloaded');
  link.action(() => printLink(start(), wordsOf<2>(link), link.opts<LinkFlags>()));
}

/** `--version <n>` of a command. */
function version(about: string): Option {
  return new Option('--version <n>', about).argParser((text) => {
    if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
    throw new InvalidArgumentError('Versions count from 1.');
  });
}

function addViews(program: Command, start: () => Invocation): void {
  program
    .command('list_groups')
    .description('all groups')
    .action(() => views.listGroups(start()));
  program
    .command('list_members <group>')
    .description('the members of a group')
    .action((group: string) => views.listMembers(start(), group));
  program
    .command('list_requests <group>')
    .description('who waits to join a group of yours')
    .action((group: string) => views.listRequests(start(), group));
  program
    .command('list_files <group>')
    .description('what is shared in a group')
    .option('--versions', 'all versions of each file, and not the newest alone')
    .action((group: string, flags: { versions?: boolean }) => views.listFiles(start(), group, flags));
  program
    .command('show_downloads')
    .description('[D] for a download under way, [C] for a complete one')
    .action(() => views.showDownloads(start()));
  program
    .command('transfers [transferId]')
    .description('uploads and downloads of this peer, or one of them in full')
    .option('--files', 'with an id: how much of each of its files is there')
    .action((id: string | undefined, flags: views.TransferFlags) => views.showTransfers(start(), id, flags));
  const open = program
    .command('open')
    .description(
      'open the page of this peer in the browser, and print its address, which lets one browser in for a minute',
    )
    .option('--url <url>', 'where browsers reach the page, when it is not where this peer listens (COHORT_PAGE_URL)')
    .option('--no-browser', 'only print the address');
  open.action(() => openPage(start(), open.opts<OpenFlags>()));
  program
    .command('status')
    .description('this peer, who is logged in on it, and its trackers')
    .action(() => views.showStatus(start()));
  program
    .command('sessions')
    .description('the peers that you are logged in on')
    .action(() => views.listSessions(start()));
  program
    .command('api_keys')
    .description('keys to this peer')
    .action(() => views.listApiKeys(start()));
}

function addTransferCommands(program: Command, start: () => Invocation): void {
  const summaries = { pause: 'pause a transfer', resume: 'go on with it', cancel: 'end a download for good' } as const;
  for (const action of ['pause', 'resume', 'cancel'] as const) {
    program
      .command(`${action} <transferId>`)
      .description(summaries[action])
      .action((id: string) => views.changeTransfer(start(), action, id));
  }
  const prioritize = program
    .command('prioritize <transferId>')
    .description('which files of a folder a download takes, and which first; each flag may be given several times')
    .option('--only <glob>', 'nothing else; what was said before is forgotten', collected)
    .option('--high <glob>', 'before others', collected)
    .option('--normal <glob>', 'as usual', collected)
    .option('--low <glob>', 'after others', collected)
    .option('--skip <glob>', 'not at all', collected);
  prioritize.action((id: string) => prioritizeTransfer(start(), id, prioritize.opts<PriorityFlags>()));
  const check = program
    .command('recheck <group> [file]')
    .description(
      'check a file of a group on this disk, and get back from others what is damaged (or: recheck <transferId>)',
    )
    .option('--no-repair', 'only look')
    .option('--detach', 'do not wait: the peer does the work anyway');
  check.action((group: string, file?: string) => recheck(start(), [group, file], check.opts<RecheckFlags>()));
  const remove = program
    .command('remove <transferId>')
    .description('forget a transfer')
    .addOption(
      new Option('--data <what>', 'what becomes of a downloaded file').choices(['keep', 'delete']).default('keep'),
    );
  remove.action((id: string) => views.removeTransfer(start(), id, remove.opts()));
  const scope = new Option('--scope <scope>', 'what it may do').choices(['read', 'transfer', 'admin']).default('read');
  const create = program.command('create_api_key <name>').description('make a key for a program').addOption(scope);
  create.action((name: string) => views.createApiKey(start(), name, create.opts<{ scope: string }>().scope));
  program
    .command('delete_api_key <keyId>')
    .description('revoke a key')
    .action((keyId: string) => views.deleteApiKey(start(), keyId));
}

function addLimits(program: Command, start: () => Invocation): void {
  const limits = program
    .command('limits')
    .description('what this peer is limited to; with flags, limits are changed first and kept over restarts')
    .addOption(new Option('--upload <rate>', 'bytes a second, like 50MB or 512KiB, or none').argParser(typedRate))
    .addOption(new Option('--download <rate>', 'the same for what comes').argParser(typedRate))
    .addOption(new Option('--active <n>', 'transfers at a time, or none; the others wait').argParser(typedCount))
    .option('--group <group>', 'the rates are those of a group');
  limits.action(() => {
    const flags = limits.opts<LimitFlags>();
    const { upload, download, active, group } = flags;
    if (group !== undefined && active !== undefined) limits.error('error: --active is not for a group: leave one out');
    if (group !== undefined && upload === undefined && download === undefined) {
      limits.error('error: --group needs --upload or --download');
    }
    return showLimits(start(), flags);
  });
}

/** The words of a command, whose number commander has checked. */
function wordsOf<Count extends 1 | 2 | 3>(command: Command): Words<Count> {
  return command.processedArgs as unknown as Words<Count>;
}
