// A writer process for the contract suite: `node command-log-writer.ts <url> <name> <count>` appends `<name>-<index>` one
// after the other and prints `<offset> <value>` for each that was acknowledged.
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';

const [url, name, count] = process.argv.slice(2);
const log = await openCommandLog({ url: url!, trackerInfoPath: null });
for (let index = 0; index < Number(count); index += 1) {
  const value = `${name}-${index}`;
  const [offset] = await log.append([{ value: new TextEncoder().encode(value), sealed: null }]);
  process.stdout.write(`${offset} ${value}\n`);
}
await log.close();
