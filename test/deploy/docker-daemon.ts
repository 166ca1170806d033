// Owns a Docker daemon that is nobody else's: in a folder and at a socket of its own, so that images under the names of official ones
// stay in it. What it changes of the machine's network is put back, but for the bridge docker0 and Docker's chains of iptables, which is
// why none is started beside another daemon. Its folder is kept from run to run, for what takes long to make.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { until } from '../../infra/quick-start/until.ts';
import { deploySkipReasonOf, thisMachine } from './machine.ts';

const run = promisify(execFile);
const CACHE = process.env['COHORT_DEPLOY_CACHE'] || '/var/cache/cohort-deploy';
const COMPOSE_VERSION = 'v2.29.7';
/** What an earlier build left need not be done again: packages first of all. */
const BUILDS_KEPT = '4GB';
const START_TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const FOLDER = join(CACHE, 'docker');
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
/** Where the machine has a containerd, its daemon uses that one too. */
const OWN_NAMESPACES = ['--containerd-namespace=cohort-deploy', '--containerd-plugins-namespace=cohort-deploy-plugins'];

/** Why nothing can be deployed here, or null when it can. */
export function deploySkipReason(): string | null {
  return deploySkipReasonOf(thisMachine(), FOLDER);
}

/** Where a program runs, and what is said to it. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A daemon that runs, and how it is spoken to. */
export class DockerDaemon {
  readonly #process: ChildProcess;
  readonly #socket: string;
  readonly #forwarding: Forwarding;

  private constructor(process: ChildProcess, { socket, forwarding }: { socket: string; forwarding: Forwarding }) {
    this.#process = process;
    this.#socket = socket;
    this.#forwarding = forwarding;
  }

  /** Starts it with Compose as its plugin, and without the containers and volumes that a run may have left which was cut off. */
  static async start(): Promise<DockerDaemon> {
    const [pidFile, socket] = [join(CACHE, 'docker.pid'), join(CACHE, 'docker.sock')];
    await mkdir(FOLDER, { recursive: true });
    await endLeftOver(pidFile);
    const forwarding = await forwardingNow();
    const log = await open(join(CACHE, 'docker.log'), 'w');
    const words = ['--data-root', FOLDER, '--exec-root', join(CACHE, 'exec'), '--pidfile', pidFile, ...OWN_NAMESPACES];
    const daemon = spawn('dockerd', [...words, '--host', `unix://${socket}`], { stdio: ['ignore', log.fd, log.fd] });
    await log.close();
    const docker = new DockerDaemon(daemon, { socket, forwarding });
    try {
      await docker.#answers();
      await docker.removeAll();
      await docker.#havePlugin();
    } catch (error) {
      await docker.#end();
      throw error;
    }
    return docker;
  }

  /** What `docker` prints on standard output. Rejects with what it complains of. */
  run(words: readonly string[], options: RunOptions = {}): Promise<string> {
    return this.#output('docker', words, options);
  }

  /** What a line prints that is typed into a shell. */
  type(line: string, options: RunOptions = {}): Promise<string> {
    return this.#output('sh', ['-c', line], options);
  }

  /** What the daemon answers to a request of its own interface. */
  async get<Body>(path: string): Promise<Body> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ socketPath: this.#socket, path }, resolve).on('error', reject);
    });
    return (await json(answer)) as Body;
  }

  /** What makes `docker` speak to this daemon. */
  get environment(): Record<string, string> {
    return { DOCKER_HOST: `unix://${this.#socket}`, DOCKER_CONFIG: join(CACHE, 'config') };
  }

  /** Removes containers, networks and volumes, and of what builds have left all but the newest; images stay that have a name. */
  async removeAll(): Promise<void> {
    const containers = (await this.run(['ps', '--all', '--quiet'])).split('\n').filter((id) => id !== '');
    if (containers.length > 0) await this.run(['rm', '--force', ...containers]);
    for (const kind of ['network', 'image']) await this.run([kind, 'prune', '--force']);
    await this.run(['builder', 'prune', '--force', '--keep-storage', BUILDS_KEPT]);
    const volumes = (await this.run(['volume', 'ls', '--quiet'])).split('\n').filter((name) => name !== '');
    if (volumes.length > 0) await this.run(['volume', 'rm', ...volumes]);
  }

  async stop(): Promise<void> {
    try {
      await this.removeAll();
    } finally {
      await this.#end();
    }
  }

  async #output(program: string, words: readonly string[], options: RunOptions): Promise<string> {
    const running = run(program, [...words], {
      ...options,
      env: { ...process.env, ...options.env, ...this.environment },
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    running.child.stdin?.end();
    return (await running).stdout.trim();
  }

  async #answers(): Promise<void> {
    const answers = (): Promise<boolean> =>
      this.run(['info']).then(
        () => true,
        () => false,
      );
    await until(`the daemon answers; it says what is wrong in ${CACHE}/docker.log`, answers, START_TIMEOUT_MS);
  }

  /** Ends the daemon, which may have ended by itself, and lets the machine forward as it did before. */
  async #end(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) {
      const exited = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGTERM');
      await exited;
    }
    if (readFileSync(FORWARDING, 'utf8') !== this.#forwarding.isOn) await writeFile(FORWARDING, this.#forwarding.isOn);
    await run('iptables', ['--policy', 'FORWARD', this.#forwarding.policy]);
  }

  /** Compose is no package of Debian's in this version; Go builds it from its module, in three minutes, once. */
  async #havePlugin(): Promise<void> {
    const version = await this.run(['compose', 'version', '--short']).catch(() => '');
    if (`v${version.replace(/^v/, '')}` === COMPOSE_VERSION) return;
    const [folder, made] = [join(CACHE, 'config', 'cli-plugins'), join(CACHE, 'go', 'cmd')];
    await mkdir(folder, { recursive: true });
    const flags = `-ldflags=-s -w -X github.com/docker/compose/v2/internal.Version=${COMPOSE_VERSION}`;
    const environment = { ...process.env, GOBIN: join(CACHE, 'go') };
    await run('go', ['install', flags, `github.com/docker/compose/v2/cmd@${COMPOSE_VERSION}`], { env: environment });
    await rename(made, join(folder, 'docker-compose'));
  }
}

/** Whether and what the machine forwards, both of which a daemon sets as it needs it. */
interface Forwarding {
  readonly isOn: string;
  readonly policy: string;
}

async function forwardingNow(): Promise<Forwarding> {
  const { stdout } = await run('iptables', ['--list-rules', 'FORWARD']);
  return { isOn: readFileSync(FORWARDING, 'utf8'), policy: /^-P FORWARD (\S+)$/m.exec(stdout)?.[1] ?? 'ACCEPT' };
}

/** A run that was killed has left its daemon, which would not let another one have the folder. */
async function endLeftOver(pidFile: string): Promise<void> {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0;
  if (!isDaemon(pid)) return;
  process.kill(pid, 'SIGTERM');
  await until('the daemon of an earlier run has ended', () => !isDaemon(pid));
}

function isDaemon(pid: number): boolean {
  const commandLine = `/proc/${pid}/cmdline`;
  return pid > 0 && existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes(FOLDER);
}
