// Owns a Docker daemon that is nobody else's: in a folder and at a socket of its own, so that images under the names of official ones
// stay in it, and nothing of whoever uses this machine is touched. Its folder is kept from run to run, for what takes long to make.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { until } from '../../infra/quick-start/until.ts';

const run = promisify(execFile);
const CACHE = process.env['COHORT_DEPLOY_CACHE'] || '/var/cache/cohort-deploy';
const COMPOSE_VERSION = 'v2.29.7';
/** What an earlier build left need not be done again: packages first of all. */
const BUILDS_KEPT = '4GB';
const START_TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
/** What it takes to run a daemon, and to make what it runs. */
const TOOLS = ['dockerd', 'docker', 'mmdebstrap', 'go', 'java', 'mvn', 'npm'];

/** Why nothing can be deployed here, or null when it can. */
export function deploySkipReason(): string | null {
  if (process.getuid?.() !== 0) return 'only root can run a Docker daemon of its own';
  const missing = TOOLS.filter((tool) => spawnSync('which', [tool], { stdio: 'ignore' }).status !== 0);
  return missing.length === 0 ? null : `there is no ${missing.join(', no ')} on the path`;
}

/** A daemon that runs, and how it is spoken to. */
export class DockerDaemon {
  readonly #process: ChildProcess;
  readonly #socket: string;

  private constructor(process: ChildProcess, socket: string) {
    this.#process = process;
    this.#socket = socket;
  }

  /** Starts it with Compose as its plugin, and without the containers and volumes that a run may have left which was cut off. */
  static async start(): Promise<DockerDaemon> {
    const folder = join(CACHE, 'docker');
    const [pidFile, socket] = [join(CACHE, 'docker.pid'), join(CACHE, 'docker.sock')];
    await mkdir(folder, { recursive: true });
    await endLeftOver(pidFile);
    const log = await open(join(CACHE, 'docker.log'), 'w');
    const words = ['--data-root', folder, '--exec-root', join(CACHE, 'exec'), '--pidfile', pidFile];
    const daemon = spawn('dockerd', [...words, '--host', `unix://${socket}`], { stdio: ['ignore', log.fd, log.fd] });
    await log.close();
    const docker = new DockerDaemon(daemon, socket);
    await until(
      `the daemon answers; it says what is wrong in ${CACHE}/docker.log`,
      () =>
        docker.run(['info']).then(
          () => true,
          () => false,
        ),
      START_TIMEOUT_MS,
    );
    await docker.removeAll();
    await docker.#havePlugin();
    return docker;
  }

  /** What `docker` prints on standard output. Rejects with what it complains of. */
  async run(words: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<string> {
    const { stdout } = await run('docker', [...words], {
      ...options,
      env: { ...process.env, ...options.env, ...this.environment },
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return stdout.trim();
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
    await this.removeAll();
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await exited;
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

/** A run that was killed has left its daemon, which would not let another one have the folder. */
async function endLeftOver(pidFile: string): Promise<void> {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0;
  if (!isDaemon(pid)) return;
  process.kill(pid, 'SIGTERM');
  await until('the daemon of an earlier run has ended', () => !isDaemon(pid));
}

function isDaemon(pid: number): boolean {
  const commandLine = `/proc/${pid}/cmdline`;
  return pid > 0 && existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes(join(CACHE, 'docker'));
}
