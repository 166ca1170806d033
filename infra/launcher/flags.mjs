// Owns how the programs that npm runs read their flags: what is wrong with them is one sentence and the flags that there
// are, `--help` those alone. Plain JavaScript, because `npm run kafka` may be run by the host's Node.
import { parseArgs } from 'node:util';

/** The values of the flags, or null when there is nothing to run: then all is said, and the exit code is set. */
export function readFlags(words, { options, usage }) {
  try {
    const { values } = parseArgs({ args: [...words], options: { ...options, help: { type: 'boolean', short: 'h' } } });
    if (values.help !== true) return values;
    process.stdout.write(`${usage}\n`);
  } catch (error) {
    if (!String(error.code).startsWith('ERR_PARSE_ARGS_')) throw error;
    process.stderr.write(`${error.message.split('. ')[0]}\n${usage}\n`);
    process.exitCode = 64;
  }
  return null;
}
