// Owns what a measured figure has to be read with: the commit and the machine; and how much memory a process uses, now and at most.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** In which Linux counts processor time (USER_HZ), whatever its kernel's clock. */
const TICKS_PER_SECOND = 100;

/** Commit, Node and processors, as one line. A copy without git has no commit. */
export function machineLine(): string {
  const [cpu] = cpus();
  return `commit ${commit()}  node ${process.version}  ${cpus().length} x ${cpu?.model ?? 'cpu'}  ${process.platform}`;
}

function commit(): string {
  try {
    const words = ['describe', '--always', '--dirty', '--exclude=*'];
    return execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}

/** Peak resident memory of a running process in bytes, or null where the system does not tell (only Linux does). */
export function peakResidentBytes(pid: number): number | null {
  return statusBytes(pid, 'VmHWM');
}

/** Resident memory of a running process now, in bytes, or null where the system does not tell. */
export function residentBytes(pid: number): number | null {
  return statusBytes(pid, 'VmRSS');
}

/** Processor time that a running process has used so far, in seconds, or null where the system does not tell. */
export function cpuSeconds(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  // The name of the program, in brackets, may hold anything; user and system time are the 12th and 13th field after it.
  const [, , , , , , , , , , , userTicks, systemTicks] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(userTicks) + Number(systemTicks)) / TICKS_PER_SECOND;
}

/**
 * Processor time of each thread of a running process so far, in milliseconds by its number; empty where the system does not tell. It is
 * behind by at most a tick of the system's clock.
 */
export function threadCpuMs(pid: number): ReadonlyMap<string, number> {
  if (process.platform !== 'linux') return new Map();
  const threads = `/proc/${pid}/task`;
  const cpuMs = (thread: string): number => {
    try {
      const [nanoseconds] = readFileSync(`${threads}/${thread}/schedstat`, 'utf8').split(' ');
      return Number(nanoseconds) / 1e6;
    } catch {
      // It has ended meanwhile.
      return 0;
    }
  };
  return new Map(readdirSync(threads).map((thread) => [thread, cpuMs(thread)]));
}

function statusBytes(pid: number, field: string): number | null {
  if (process.platform !== 'linux') return null;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

/** Peak resident memory in bytes of each process, by its name; empty where the system does not tell. */
export function peaksOf(running: readonly { readonly name: string; readonly process: { readonly pid: number } }[]) {
  const peaks = new Map<string, number>();
  for (const { name, process: started } of running) {
    const bytes = peakResidentBytes(started.pid);
    if (bytes !== null) peaks.set(name, bytes);
  }
  return peaks;
}
