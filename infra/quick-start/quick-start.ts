// Owns the system that `npm start` brings up: two trackers on the embedded log, a peer for alice and one for bob, in a folder
// that outlives them, and the commands to type next. Everything ends with this process.
import { relative, resolve } from 'node:path';
import { readFlags } from '../launcher/flags.mjs';
import { type LocalPeer, LocalSystem } from './local-system.ts';
import { nextCommands } from './next-commands.ts';
import { StartFailed } from './node-process.ts';
import { freePorts } from './ports.mjs';
import { StateInUse, takeStateFolder } from './state-folder.ts';

const TRACKER_PORTS = [9001, 9002];
const PEER_PORTS = [9101, 9102];
const CONTROL_PORTS = [7070, 7071];
const PEER_NAMES = ['alice', 'bob'] as const;
const USAGE = `npm start -- [--fresh] [--state <folder>]
  --fresh           forget what earlier starts have left in the folder
  --state <folder>  where keys, log and peers are kept (.cohort)`;

/** Runs until Ctrl-C. `--fresh` forgets what earlier runs left, `--state <folder>` keeps it elsewhere. */
export async function quickStart(words: readonly string[]): Promise<void> {
  const options = { fresh: { type: 'boolean' }, state: { type: 'string', default: '.cohort' } } as const;
  const flags = readFlags(words, { options, usage: USAGE });
  if (flags === null) return;
  const folder = resolve(flags.state);
  try {
    const state = await takeStateFolder(folder, { fresh: flags.fresh ?? false });
    await run(folder, state.isContinued).finally(() => state.release());
  } catch (error) {
    if (!(error instanceof StartFailed || error instanceof StateInUse)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 69;
  }
}

async function run(folder: string, isContinued: boolean): Promise<void> {
  const stopping = stopSignal();
  process.stdout.write('Starting two trackers and two peers ...\n');
  const system = await LocalSystem.prepare({ folder, trackerCount: 2, trackerPorts: TRACKER_PORTS });
  try {
    const isUp = await Promise.race([stopping.then(() => false), bringUp(system).then(() => true)]);
    if (!isUp) return;
    introduce(system, isContinued);
    await Promise.race([stopping, firstToEnd(system)]);
  } finally {
    process.stdout.write('Stopping ...\n');
    await system.stop();
  }
}

function introduce(system: LocalSystem, isContinued: boolean): void {
  if (isContinued) process.stdout.write('What was there before is there still (npm start -- --fresh forgets it).\n');
  process.stdout.write(introduction(system));
}

async function bringUp(system: LocalSystem): Promise<void> {
  await system.startTrackers();
  const ports = await freePorts('127.0.0.1', [...PEER_PORTS, ...CONTROL_PORTS]);
  await Promise.all(
    PEER_NAMES.map((name, index) =>
      system.startPeer(name, {
        address: `127.0.0.1:${ports[index]}`,
        control: `127.0.0.1:${ports[PEER_PORTS.length + index]}`,
      }),
    ),
  );
}

/** Rejects when a tracker or a peer ends that nobody has stopped. */
async function firstToEnd(system: LocalSystem): Promise<never> {
  const running = [...system.trackers, ...system.peers].map((node) => node.process);
  return await Promise.race(
    running.map(async (node): Promise<never> => {
      const { code, signal } = await node.exited;
      throw new StartFailed(node.name, `has ended with ${signal ?? code}`, node.output);
    }),
  );
}

const byName = (one: LocalPeer, other: LocalPeer): number => (one.name < other.name ? -1 : 1);

function stopSignal(): Promise<void> {
  return new Promise((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop());
  });
}

function introduction({ trackers, peers, folder }: LocalSystem): string {
  const below = relative(process.cwd(), folder);
  const place = below.startsWith('..') ? folder : below;
  const typed = nextCommands(place).map((command) => (command === '' ? '' : `  ${command}`));
  return `
${trackers.map(({ ordinal, address, http }) => `tracker ${ordinal}   ${address}   status ${http}/status`).join('\n')}
${peers
  .toSorted(byName)
  .map(
    ({ name, control }) => `peer ${name.padEnd(8)}${control.url}   page   npx cohort --data-dir ${place}/${name} open`,
  )
  .join('\n')}
log and keys   ${place}

Type in another terminal (a password has 8 characters or more):

${typed.join('\n')}

Ctrl-C here ends everything.
`;
}
