// Owns what a folder is compared with: `tar | nc | tar` over loopback, with a TCP pipe of its own, because nc is not everywhere. The one
// tar writes to the socket and the other reads from it themselves, so no program in between costs anything.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Seconds until everything in a folder is in another one that is there and empty: not encrypted, not verified, not synced. */
export async function tarPipeSeconds(from: string, to: string): Promise<number> {
  // What is not read here is the child's.
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const sending = connect({ ...(server.address() as { port: number }), host: '127.0.0.1' });
  await once(sending, 'connect');
  const [receiving] = await accepted;
  const startMs = performance.now();
  const ended = [
    exit(spawn('tar', ['-xf', '-', '-C', to], { stdio: [receiving, 'ignore', 'inherit'] })),
    exit(spawn('tar', ['-cf', '-', '-C', from, '.'], { stdio: ['ignore', sending, 'inherit'] })),
  ];
  // The children have the sockets now; the reader hears of the end when the writer is the last one to close.
  sending.destroy();
  receiving.destroy();
  await Promise.all(ended);
  const seconds = (performance.now() - startMs) / 1000;
  server.close();
  return seconds;
}

async function exit(child: ChildProcess): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`tar ended with ${code}`);
}
