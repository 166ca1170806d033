// Owns what a measured figure has to be read with: the commit and the machine; and how much memory a process has used at most.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

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
  if (process.platform !== 'linux') return null;
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return peak === undefined ? null : Number(peak) * 1024;
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
