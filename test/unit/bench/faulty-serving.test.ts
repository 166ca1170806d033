import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const preload = new URL('../../bench/faulty-serving.ts', import.meta.url).href;
/** Sends single bytes over a connection that it accepted, and prints how many came, and what Node warned of. */
const program = `
  import { connect, createServer } from 'node:net';
  process.on('warning', ({ name }) => console.log(name));
  const server = createServer((socket) => {
    for (let count = 0; count < 100; count++) socket.write(Uint8Array.of(count));
  });
  server.listen(0, '127.0.0.1', () => {
    const client = connect(server.address().port, '127.0.0.1');
    let heard = 0;
    client.on('data', (bytes) => {
      heard += bytes.length;
      if (heard < 100) return;
      console.log(heard);
      client.destroy();
      server.close();
    });
  });
`;

it('a slow seeder never waits for a moment that is over, however little it sends', async () => {
  const words = ['--import', preload, '--input-type=module', '--no-warnings', '-e', program];
  const env = { ...process.env, COHORT_BENCH_FAULT: 'is-slow' };
  const { stdout } = await promisify(execFile)(process.execPath, words, { env });
  expect(stdout).toBe('100\n');
});
