// `npm run record`: the README's first commands, typed by this script into real terminals, as a recording (session.cast) and as the
// picture that the README shows (session.svg). What would tell of the machine on which it was made is a failure.
//   npm run record -- --out docs
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { readFlags } from '../launcher/flags.mjs';
import { nextCommands } from '../quick-start/next-commands.ts';
import { ROOT } from '../quick-start/node-process.ts';
import { type Cast, type CastOutput, castText } from './cast.ts';
import { sessionSvg } from './session-svg.ts';
import { stageCheckout } from './staged-checkout.ts';
import { TypedTerminal } from './typed-terminal.ts';

const USAGE = `npm run record -- [--out <folder>]
  --out <folder>  where session.cast and session.svg are put (docs)`;
const SIZE = { columns: 100, rows: 26 };
const TITLE = 'Cohort: two people share a file, from npm start to the download';
const PAUSE_SECONDS_MAX = 1.2;
const PASSWORD = 'a long password';
/** Stands for where it was recorded. */
const SHOWN_FOLDER = '/home/you/cohort';
/** Another terminal begins: an empty screen. */
const EMPTY_SCREEN = '\u001b[2J\u001b[H';

const flags = readFlags(process.argv.slice(2), { options: { out: { type: 'string', default: 'docs' } }, usage: USAGE });
if (flags !== null) {
  const cast = await record();
  const folder = resolve(flags.out);
  const problems = machineNames(cast.outputs.map(({ text }) => text).join(''));
  if (problems.length > 0) throw new Error(`the recording tells of this machine:\n${problems.join('\n')}`);
  await mkdir(folder, { recursive: true });
  const picture = sessionSvg(cast);
  await writeFile(join(folder, 'session.cast'), castText(cast));
  await writeFile(join(folder, 'session.svg'), picture);
  process.stdout.write(`session.cast and session.svg (${(picture.length / 1024).toFixed(0)} KiB) in ${folder}\n`);
}

async function record(): Promise<Cast> {
  const stage = await stageCheckout();
  const beginMs = performance.now();
  const options = {
    ...SIZE,
    workingDirectory: stage.folder,
    now: () => (performance.now() - beginMs) / 1000,
    environment: plainEnvironment(stage.folder),
  };
  const system = new TypedTerminal(options);
  try {
    await system.type('npm start');
    await system.untilText('Ctrl-C here ends everything.');
    const started = [...system.outputs];
    const typed = await typeCommands(new TypedTerminal(options));
    const outputs = [...started, { atSeconds: typed[0]!.atSeconds, text: EMPTY_SCREEN }, ...typed];
    const elsewhere = outputs.map(({ atSeconds, text }) => ({
      atSeconds,
      text: text.replaceAll(stage.folder, SHOWN_FOLDER),
    }));
    return { ...SIZE, title: TITLE, pauseSecondsMax: PAUSE_SECONDS_MAX, outputs: elsewhere };
  } finally {
    try {
      await end(system);
    } finally {
      await stage.remove();
    }
  }
}

/** Ends what runs in it as a person does, so that nothing is left running. */
async function end(terminal: TypedTerminal): Promise<void> {
  try {
    terminal.interrupt();
    await terminal.untilAsked();
  } finally {
    await terminal.close();
  }
}

async function typeCommands(terminal: TypedTerminal): Promise<readonly CastOutput[]> {
  try {
    await terminal.type('# in another terminal');
    const commands = nextCommands('.cohort').filter((command) => command !== '');
    for (const command of commands) await terminal.run(command, PASSWORD);
    return [...terminal.outputs];
  } finally {
    await terminal.close();
  }
}

/** What programs of this project and npm need, and nothing that is of who records. */
function plainEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: join(home, '..'),
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
    npm_config_update_notifier: 'false',
    // It turns while npm looks for the program, which is another number of pictures each time.
    npm_config_progress: 'false',
  };
}

/** The lines of a text in which names of this machine stand, or of who records. */
function machineNames(text: string): string[] {
  const names = [ROOT, tmpdir(), homedir(), hostname(), userInfo().username];
  return text.split('\n').filter((line) => names.some((name) => name.length > 1 && line.includes(name)));
}
