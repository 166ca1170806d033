// Owns finding which process holds a file's lock or listens at a port, from what Linux tells in /proc. Elsewhere, and of other
// users' processes, nobody is found: it is a hint for a person, never a decision.
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import type { HostPort } from '#wire/host-port';

/** A process in words: `process 4711 (node)`. */
export async function processInWords(pid: number): Promise<string> {
  const name = (await textOf(`/proc/${pid}/comm`)).trim();
  return `process ${pid}${name === '' ? '' : ` (${name})`}`;
}

/** Who holds a lock on a file, or null. */
export async function lockHolder(path: string): Promise<number | null> {
  const inode = await stat(path).then(
    ({ ino }) => String(ino),
    () => '',
  );
  for (const line of (await textOf('/proc/locks')).split('\n')) {
    // number: class mode access pid major:minor:inode from to
    const [, , , , pid, file] = line.split(/\s+/);
    if (inode !== '' && file?.split(':')[2] === inode) return Number(pid);
  }
  return null;
}

/** Who listens at a port, or null. */
export async function portHolder({ port }: Pick<HostPort, 'port'>): Promise<number | null> {
  const sockets = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await textOf(table)).split('\n')) {
      const [, , local, , state, , , , , , inode] = line.split(/\s+/);
      const isListening = state === '0A';
      if (isListening && Number.parseInt(local?.split(':')[1] ?? '', 16) === port) sockets.add(`socket:[${inode}]`);
    }
  }
  return sockets.size === 0 ? null : ownerOf(sockets);
}

async function ownerOf(sockets: ReadonlySet<string>): Promise<number | null> {
  for (const pid of (await namesIn('/proc')).filter((name) => /^\d+$/.test(name))) {
    for (const file of await namesIn(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
      if (sockets.has(target)) return Number(pid);
    }
  }
  return null;
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
