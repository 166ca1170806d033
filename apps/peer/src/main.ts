// Owns `cohort peer`: its words, its life from the lock of its data directory to a clean stop, and how it ends: exit codes
// and one sentence that says what to do.
import 'reflect-metadata';
import { Command as Program, CommanderError } from 'commander';
import { DataDirUnusable, lockDataDir } from '#identity/data-dir-lock';
import { BadInput } from '#identity/start-input';
import { openProcessLog } from '#program/open-process-log';
import { PEER_SETTINGS, type PeerFlags } from '#program/peer-settings';
import type { ProcessLog } from '#program/process-log';
import { addSettings } from '#program/settings-options';
import { NO_TRACES, openTraces } from '#program/traces';
import { EXIT } from './cli/exit-codes.ts';
import { type PeerOptions, readPeerOptions } from './peer-options.ts';
import { startPeer } from './peer.module.ts';
import { TransferFailure } from './swarm/transfer-engine.ts';

/** A stop takes no longer than this, whatever hangs. */
const STOP_TIMEOUT_MS = 1_800;
const PEER_ID_SHOWN = 12;

function program(): Program {
  const root = new Program('cohort').exitOverride().showHelpAfterError('(--help lists the arguments)');
  const peer = root
    .command('peer')
    .description('run a peer in the foreground until Ctrl-C')
    .usage('[options] <ip>:<port> <tracker_info.txt>')
    .argument('<ip:port>', 'where other peers reach this one; port 0 takes a free one')
    .argument('<tracker_info.txt>', 'the list of trackers, one a line: host:port [sha256:<fingerprint>]')
    .action(async (address: string, file: string, flags: PeerFlags) => {
      await runPeer(await readPeerOptions(address, file, flags));
    });
  addSettings(peer, PEER_SETTINGS);
  return root;
}

/** Runs a peer until SIGINT or SIGTERM. What keeps it from starting is said in its log and by the exit code. */
async function runPeer(options: PeerOptions): Promise<void> {
  const log = openProcessLog('peer', options.logging);
  process.prependListener('uncaughtException', (error) => {
    log.fatal('this is a bug', { exitCode: EXIT.bug, error });
    process.exit(EXIT.bug);
  });
  await runUntilSignal(options, log).catch((error: unknown) => {
    const { code, message } = endOf(error);
    log.fatal(message, { exitCode: code });
    process.exitCode = code;
  });
}

async function runUntilSignal(options: PeerOptions, log: ProcessLog): Promise<void> {
  const stopped = stopSignal();
  const lock = lockDataDir(options.dataDirectory);
  let traces = NO_TRACES;
  try {
    traces = await openTraces('peer');
    const peer = await startPeer(options, { log, traces });
    peer.figures.addProcess();
    const { peerId, controlUrl, listen } = peer;
    process.stdout.write(
      `peer ${peerId.slice(0, PEER_ID_SHOWN)} ready: control ${controlUrl}, listening on ${listen}\n`,
    );
    await stopped;
    await peer.stop();
  } finally {
    lock.release();
    await traces.close();
  }
}

/** Resolves at the first SIGINT or SIGTERM; the second one, or a stop that hangs, ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (): void => {
      if (isStopping) process.exit(EXIT.interrupted);
      isStopping = true;
      setTimeout(() => process.exit(EXIT.ok), STOP_TIMEOUT_MS).unref();
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

/** How an error ends the process. What nobody foresaw is a bug, and shows where it is. */
function endOf(error: unknown): { readonly code: number; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof BadInput) return { code: EXIT.badInput, message };
  if (error instanceof DataDirUnusable || error instanceof TransferFailure) return { code: EXIT.unavailable, message };
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  switch (code) {
    case 'EADDRINUSE':
      return {
        code: EXIT.unavailable,
        message: `${address}:${port} is in use by another process: give another one with --control`,
      };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return { code: EXIT.badInput, message: `${message}: give an address that this machine has` };
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOSPC':
    case 'EEXIST':
    case 'EISDIR':
    case 'ENOTDIR':
      return { code: EXIT.unavailable, message };
    default:
      return { code: EXIT.bug, message: `this is a bug: ${error instanceof Error ? error.stack : message}` };
  }
}

process.on('uncaughtException', (error) => {
  process.stderr.write(`cohort: this is a bug: ${error.stack ?? error.message}\n`);
  process.exit(EXIT.bug);
});

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its own sentence.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  } else {
    const { code, message } = endOf(error);
    process.stderr.write(`cohort: ${message}\n`);
    process.exitCode = code;
  }
}
// Whatever still hangs, a connection that is slow to close say, does not keep the process.
setTimeout(() => process.exit(), 500).unref();
