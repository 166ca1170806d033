// Owns what it takes for a child to stand for this process: same terminal, same signals, same end. The child ends with this
// process even when that is killed with SIGKILL, which nobody can forward: it notices that the channel between them closes.
import { spawn } from 'node:child_process';

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGINT'];

/** Runs a Node script in another Node and ends as it ends. */
export function becomeChild(nodePath, argv) {
  const child = spawn(nodePath, argv, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to every process in its foreground: the child has it already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`cohort: ${nodePath} does not start: ${error.message}; install Node 26 and use that.\n`);
    process.exit(69);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const forwarded of FORWARDED) process.removeAllListeners(forwarded);
    process.kill(process.pid, signal);
  });
}

/** In the child: ends it the moment the process that stands before it is gone. */
export function dieWithParent() {
  if (process.channel === undefined) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}
