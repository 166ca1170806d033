// Owns whether a machine can prove the deployment: what has to be there to run a Docker daemon of one's own, and to make the images that
// it runs. The facts are looked up apart from what they mean.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What it takes to run a daemon, and to make what it runs. */
const TOOLS = ['dockerd', 'docker', 'iptables', 'mmdebstrap', 'go', 'java', 'mvn', 'npm'];
/** The stand-ins are made of this one's packages, by the names that they have there. */
const DEBIAN = 'bookworm';
/** Compose is built by it. */
const GO_MINOR_MIN = 21;

/** What counts of a machine. */
export interface Machine {
  readonly isRoot: boolean;
  readonly missingTools: readonly string[];
  /** The name of its Debian; null for another system. */
  readonly debian: string | null;
  /** Like `go1.23.4`. */
  readonly goVersion: string;
  /** Command lines of Docker daemons that run. */
  readonly daemons: readonly string[];
}

/** Why nothing can be deployed there, or null when it can. `folder` is the one of the daemon of the tests. */
export function deploySkipReasonOf(machine: Machine, folder: string): string | null {
  const { isRoot, missingTools, debian, goVersion, daemons } = machine;
  if (!isRoot) return 'only root can run a Docker daemon of its own';
  if (debian !== DEBIAN)
    return `stand-ins are made on Debian 12 (${DEBIAN}) only, and this is ${debian ?? 'no Debian'}`;
  if (missingTools.length > 0) return `there is no ${missingTools.join(', no ')} on the path`;
  if (!isNewGo(goVersion)) return `Compose needs Go 1.${GO_MINOR_MIN} or newer, and this is ${goVersion || 'none'}`;
  const other = daemons.find((words) => !words.includes(folder));
  return other === undefined ? null : `another Docker daemon runs here, whose networks it would change: ${other}`;
}

/** The machine that this runs on. */
export function thisMachine(): Machine {
  return {
    isRoot: process.getuid?.() === 0,
    missingTools: TOOLS.filter((tool) => spawnSync('which', [tool], { stdio: 'ignore' }).status !== 0),
    debian: /^VERSION_CODENAME=(.*)$/m.exec(textOf('/etc/os-release'))?.[1] ?? null,
    goVersion: (spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).stdout ?? '').trim(),
    daemons: runningDaemons(),
  };
}

function isNewGo(version: string): boolean {
  const [, major, minor] = /^go([0-9]+)\.([0-9]+)/.exec(version) ?? [];
  return Number(major) > 1 || (major === '1' && Number(minor) >= GO_MINOR_MIN);
}

function runningDaemons(): string[] {
  if (process.platform !== 'linux') return [];
  const running = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  const daemons = running.filter((pid) => textOf(`/proc/${pid}/comm`).trim() === 'dockerd');
  return daemons.map((pid) => textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim());
}

/** Empty when there is none, as of a process that has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
