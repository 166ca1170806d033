// Owns the process of the command line: the words it was started with, Ctrl-C, and its exit code.
import { EXIT } from './exit-codes.ts';
import { runLine } from './program.ts';
import { processTerminal } from './terminal.ts';

let interruption = new AbortController();
process.on('SIGINT', () => {
  // The first one is heard by whatever waits, which says what goes on without it; the second one always ends the process.
  if (interruption.signal.aborted) process.exit(EXIT.interrupted);
  interruption.abort();
});

const words = process.argv.slice(2);
process.exitCode = await runLine(words.length === 0 ? ['--help'] : words, {
  terminal: processTerminal(),
  interruptible: () => {
    interruption = new AbortController();
    return interruption.signal;
  },
  inherited: {},
});
// An answer that was piped in keeps standard input open, and the process with it.
process.stdin.destroy();
