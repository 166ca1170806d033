// Owns one system in containers as its operator sees it: the commands of `docker compose` as they are documented, what Docker tells
// of a container, and the endpoints that are published on loopback.
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { ControlApi } from '../../infra/quick-start/control-api.ts';
import { ROOT } from '../../infra/quick-start/node-process.ts';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import { type TrackerStatus, trackerStatus } from '../../infra/quick-start/tracker-status.ts';
import type { DockerDaemon } from './docker-daemon.ts';

/** Of Linux, for programs. */
const TICKS_PER_SECOND = 100;
const NODE = '/usr/local/bin/node';
const PORT_VARIABLES = [
  'COHORT_TRACKER_1_PORT',
  'COHORT_TRACKER_2_PORT',
  'COHORT_TRACKER_1_HTTP_PORT',
  'COHORT_TRACKER_2_HTTP_PORT',
  'COHORT_ALICE_PORT',
  'COHORT_BOB_PORT',
  'COHORT_CAROL_PORT',
] as const;
const PEERS = { alice: 'COHORT_ALICE_PORT', bob: 'COHORT_BOB_PORT', carol: 'COHORT_CAROL_PORT' } as const;

export type PeerName = keyof typeof PEERS;
type Ports = Readonly<Record<(typeof PORT_VARIABLES)[number], string>>;

/** What is read of `docker inspect`. */
export interface ContainerFacts {
  readonly Id: string;
  /** Id of the one that it was made from. */
  readonly Image: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Pid: number;
    readonly ExitCode: number;
    readonly StartedAt: string;
    readonly OOMKilled: boolean;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: { readonly User: string };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[];
    readonly CapAdd: readonly string[] | null;
    readonly SecurityOpt: readonly string[];
    readonly Tmpfs: Readonly<Record<string, string>>;
    readonly Memory: number;
    readonly PidsLimit: number;
    readonly RestartPolicy: { readonly Name: string };
  };
}

/** What a container takes of the machine. */
export interface Usage {
  /** What of its own process is in memory, shared pages included. */
  readonly residentBytes: number;
  /** Of its own process since it began. */
  readonly cpuSeconds: number;
  /** The same with health checks. */
  readonly cpuSecondsWithChecks: number;
}

/** A system of these Compose files on a daemon of the tests. */
export class Deployment {
  /** What every command of it begins with. */
  readonly command: string;
  readonly #docker: DockerDaemon;
  readonly #ports: Ports;

  private constructor(docker: DockerDaemon, { command, ports }: { command: string; ports: Ports }) {
    this.command = command;
    this.#docker = docker;
    this.#ports = ports;
  }

  /** On ports of loopback that are free. `command` names the files, as it is documented. */
  static async of(docker: DockerDaemon, command: string): Promise<Deployment> {
    const free = await freePorts('127.0.0.1', Array<number>(PORT_VARIABLES.length).fill(0));
    const ports = Object.fromEntries(PORT_VARIABLES.map((name, index) => [name, String(free[index])])) as Ports;
    return new Deployment(docker, { command, ports });
  }

  /** Types what is documented, `docker compose ...`, into a shell at the root of the checkout, in a home that is `home`. */
  type(command: string, home = tmpdir()): Promise<string> {
    return this.#docker.type(command, { cwd: ROOT, env: { ...this.#ports, HOME: home } });
  }

  /** The same with other words behind the files. */
  compose(...words: readonly string[]): Promise<string> {
    return this.#docker.run([...this.command.split(' ').slice(1), ...words], { cwd: ROOT, env: this.#ports });
  }

  /** Runs a script in a container that runs, and returns what it prints. */
  script(service: string, text: string): Promise<string> {
    return this.compose('exec', '--no-TTY', service, NODE, '--eval', text);
  }

  async container(service: string): Promise<ContainerFacts> {
    const id = await this.compose('ps', '--all', '--quiet', service);
    const [facts] = JSON.parse(await this.#docker.run(['inspect', id])) as ContainerFacts[];
    return facts!;
  }

  async usage(service: string): Promise<Usage> {
    const { Id, State } = await this.container(service);
    const status = await readFile(`/proc/${State.Pid}/status`, 'utf8');
    // Behind the name of the program, which may have spaces: ticks in user code and in the kernel.
    const [user, system] = (await readFile(`/proc/${State.Pid}/stat`, 'utf8'))
      .replace(/^.*\) /, '')
      .split(' ')
      .slice(11, 13);
    const stats = await this.#docker.get<{ cpu_stats: { cpu_usage: { total_usage: number } } }>(
      `/containers/${Id}/stats?stream=false&one-shot=true`,
    );
    return {
      residentBytes: Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)![1]) * 1024,
      cpuSeconds: (Number(user) + Number(system)) / TICKS_PER_SECOND,
      cpuSecondsWithChecks: stats.cpu_stats.cpu_usage.total_usage / 1e9,
    };
  }

  /** The control endpoint of a peer, with the token that is in its volume. */
  async control(peer: PeerName): Promise<ControlApi> {
    const token = await this.script(peer, `console.log(fs.readFileSync('/data/control-token', 'utf8'))`);
    return new ControlApi(`http://127.0.0.1:${this.#ports[PEERS[peer]]}`, token);
  }

  status(ordinal: 1 | 2): Promise<TrackerStatus> {
    return trackerStatus({ http: `http://127.0.0.1:${this.#ports[`COHORT_TRACKER_${ordinal}_HTTP_PORT`]}` });
  }
}
