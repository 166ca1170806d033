// Facts about the system in containers, found out on a real daemon with the files that operators use, as they are: it comes up with the
// documented commands, does its main job, goes on when parts of it die, and loses nothing. Each test goes on where the last one ended.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlApi, expectOk } from '../../infra/quick-start/control-api.ts';
import { ROOT } from '../../infra/quick-start/node-process.ts';
import { until } from '../../infra/quick-start/until.ts';
import { Deployment, type PeerName, type Usage } from './deployment.ts';
import { deploySkipReason, DockerDaemon } from './docker-daemon.ts';
import { makeStandIns } from './stand-ins.ts';

const skipReason = deploySkipReason();
if (skipReason !== null && process.env['COHORT_REQUIRE_DOCKER'] === '1') {
  throw new Error(`COHORT_REQUIRE_DOCKER=1, but ${skipReason}`);
}
if (skipReason !== null) console.log(`skipped, nothing is deployed: ${skipReason}`);

const UP = 'docker compose -f infra/docker-compose.yml up --build --detach --wait';
const UP_DEMO = 'docker compose -f infra/docker-compose.yml --profile demo up --build --detach --wait';
const UP_THREE =
  'docker compose -f infra/docker-compose.yml -f infra/docker-compose.three-brokers.yml up --build --detach --wait';
const UP_TLS =
  'docker compose -f infra/docker-compose.yml -f infra/docker-compose.kafka-tls.yml up --build --detach --wait';
const BUILD = 'docker compose -f infra/docker-compose.yml build';
const UP_TRACKERS = [
  'docker compose -f infra/docker-compose.yml up --detach --wait --no-deps tracker-1',
  'docker compose -f infra/docker-compose.yml up --detach --wait --no-deps tracker-2',
];
const BACK_UP = [
  'docker compose -f infra/docker-compose.yml exec tracker-1 cohort log copy --to file:/data/cohort-2026-11-28.ndjson',
  'docker compose -f infra/docker-compose.yml cp tracker-1:/data/cohort-2026-11-28.ndjson "$HOME"',
];
const RESTORE = [
  'docker compose -f infra/docker-compose.yml stop tracker-1 tracker-2',
  'docker compose -f infra/docker-compose.yml up --detach --wait kafka-1',
  'docker compose -f infra/docker-compose.yml run --rm --no-deps --user 0 --cap-add DAC_READ_SEARCH --volume "$HOME/cohort-2026-11-28.ndjson:/backup.ndjson:ro" tracker-1 log copy --from file:/backup.ndjson --to kafka:kafka-1:9092/cohort-commands',
  'docker compose -f infra/docker-compose.yml run --rm --no-deps tracker-1 log skip 5000 --log kafka:kafka-1:9092/cohort-commands',
  'docker compose -f infra/docker-compose.yml up --detach --wait',
];
/** The words that name the files. */
const filesOf = (command: string): string => command.replace(/ up .*$/, '');

const MIB = 1024 * 1024;
const UP_SECONDS_MAX = 180;
const IMAGE_BYTES_MAX = 250_000_000;
const TRACKER_BYTES_MAX = 160 * MIB;
const PEER_BYTES_MAX = 220 * MIB;
const TRACKER_CORE_MAX = 0.01;
const IDLE_MS = 20_000;
const FILE_BYTES = 48 * MIB;
const PASSWORD = 'demo-password';
const GROUP = 'friends';
const FILE = 'film.bin';

const tell = (words: string): void => console.log(`deploy: ${words}`);
const secondsSince = (begin: number): number => (performance.now() - begin) / 1000;

let docker: DockerDaemon;
let image: string;

beforeAll(async () => {
  if (skipReason !== null) return;
  let begin = performance.now();
  docker = await DockerDaemon.start();
  const { services } = JSON.parse(
    await (await Deployment.of(docker, filesOf(UP))).compose('config', '--format', 'json'),
  ) as {
    services: Record<string, { image: string }>;
  };
  image = services['tracker-1']!.image;
  const [, build, runtime] = /^ARG BUILD_IMAGE=(\S+)\nARG RUNTIME_IMAGE=(\S+)$/m.exec(
    readFileSync(join(ROOT, 'infra/Dockerfile'), 'utf8'),
  )!;
  await makeStandIns(docker, { build: build!, runtime: runtime!, kafka: services['kafka-1']!.image });
  tell(`daemon and stand-ins after ${secondsSince(begin).toFixed(0)} s; for ${build} there is Node ${process.version}`);
  begin = performance.now();
  await (await Deployment.of(docker, filesOf(UP))).compose('build', '--quiet');
  tell(`image built after ${secondsSince(begin).toFixed(0)} s`);
  // What is documented begins where there is none.
  await docker.run(['image', 'rm', image]);
});

afterAll(async () => {
  await docker?.stop();
});

/** Brings a system up with what is documented, and says how long that took. */
async function bringUp(system: Deployment, command: string): Promise<void> {
  const begin = performance.now();
  await system.type(command);
  const seconds = secondsSince(begin);
  tell(`${system.command}: healthy after ${seconds.toFixed(0)} s`);
  expect(seconds).toBeLessThan(UP_SECONDS_MAX);
}

/** Types one line after another. */
async function typeAll(system: Deployment, commands: readonly string[], home?: string): Promise<void> {
  for (const command of commands) await system.type(command, home);
}

/** Another build of the image under its name: the same, and newer. */
async function buildNewer(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cohort-newer-'));
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${image}\nLABEL newer=1\n`);
  await docker.run(['build', '--tag', image, folder], { env: { DOCKER_BUILDKIT: '0' } });
  rmSync(folder, { recursive: true });
  return docker.run(['image', 'inspect', '--format', '{{.Id}}', image]);
}

/** Sends a command until it is taken, always under one id, and says how long that took. Rejects after a minute. */
async function takenAfter(control: ControlApi, group: string): Promise<number> {
  const [key, begin] = [crypto.randomUUID(), performance.now()];
  const isTaken = async (): Promise<boolean> => (await control.command('create_group', { group }, key)).status === 200;
  await until('the command is taken', isTaken, 60_000);
  return secondsSince(begin);
}

async function enter(control: ControlApi, user: string): Promise<void> {
  await expectOk('create_user', control.command('create_user', { user, password: PASSWORD }));
  await expectOk('login', control.command('login', { user, password: PASSWORD }));
}

describe.skipIf(skipReason !== null)('the system of infra/docker-compose.yml', () => {
  let system: Deployment;
  let logId: string | null;
  let sha256: string;
  /** Where the operator has the backup. */
  let home: string;

  /** Everybody finds a token of their own where their peer has put it. */
  const control = (peer: PeerName): Promise<ControlApi> => system.control(peer);
  const sha256In = (peer: PeerName): Promise<string> =>
    system.script(
      peer,
      `crypto.createHash('sha256').update(fs.readFileSync('/files/${FILE}')).digest('hex').replace(/.*/, console.log)`,
    );
  const fetchFile = async (peer: PeerName): Promise<void> => {
    const body = { group: GROUP, file: FILE, destination: '/files', wait: true };
    await expectOk(`download by ${peer}`, (await control(peer)).command('download_file', body));
  };

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'cohort-operator-'));
    system = await Deployment.of(docker, filesOf(UP_DEMO));
  });
  afterAll(() => {
    rmSync(home, { recursive: true });
  });

  it('comes up with one documented command', async () => {
    await bringUp(system, UP);
    const statuses = await Promise.all([system.status(1), system.status(2)]);
    expect(statuses.map(({ ready }) => ready)).toEqual([true, true]);
    ({ logId } = statuses[0]!);
    expect(statuses[1]!.logId).toBe(logId);
    await bringUp(system, UP_DEMO);
  });

  it('takes one image of less than 250 MB for trackers, peers and the command line', async () => {
    const bytes = Number(await docker.run(['image', 'inspect', '--format', '{{.Size}}', image]));
    tell(`image of ${(bytes / 1e6).toFixed(0)} MB`);
    expect(bytes).toBeLessThan(IMAGE_BYTES_MAX);
    expect(await system.compose('exec', '--no-TTY', 'alice', 'cohort', 'status')).toMatch(/tracker-1\S+\s+ready/);
  });

  it.each(['kafka-1', 'tracker-1', 'tracker-2', 'alice', 'bob', 'carol'])(
    'lets %s do no more than it must',
    async (service) => {
      const { Config, HostConfig } = await system.container(service);
      expect(HostConfig).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        CapAdd: null,
        SecurityOpt: ['no-new-privileges:true'],
        RestartPolicy: { Name: 'unless-stopped' },
      });
      expect(HostConfig.Memory).toBeGreaterThan(0);
      expect(HostConfig.PidsLimit).toBeGreaterThan(0);
      // Without a size it is as large as the container may be, and what is written there takes its memory.
      expect(Object.values(HostConfig.Tmpfs).filter((options) => !/\bsize=/.test(options))).toEqual([]);
      expect(Config.User).toBe(service === 'kafka-1' ? 'appuser' : '65532:65532');
    },
  );

  it('has a broker say what it does where Docker keeps so much of it, and in no file', async () => {
    expect(await system.compose('logs', '--no-color', '--no-log-prefix', 'kafka-1')).toMatch(/INFO.*started/i);
    expect(await system.compose('exec', '--no-TTY', 'kafka-1', 'ls', '/opt/kafka/logs')).toBe('');
  });

  it('prints an address of a page that this machine reaches, and has the one of its interface', async () => {
    const url = new URL(await system.compose('exec', '--no-TTY', 'alice', 'cohort', 'open'));
    expect(url.origin).toBe((await control('alice')).url);
    expect(url.hash).toMatch(/^#ticket=/);
    expect(await (await fetch(url)).text()).toContain('<html');
    expect((await fetch(new URL('/api/docs/swagger-ui-bundle.js', url))).status).toBe(200);
  });

  it('does its main job: what alice shares, bob fetches', async () => {
    const [alice, bob, carol] = await Promise.all([control('alice'), control('bob'), control('carol')]);
    await Promise.all([enter(alice, 'alice'), enter(bob, 'bob'), enter(carol, 'carol')]);
    await expectOk('create_group', alice.command('create_group', { group: GROUP }));
    for (const [user, peer] of [['bob', bob] as const, ['carol', carol] as const]) {
      await expectOk('join_group', peer.command('join_group', { group: GROUP }));
      await expectOk('accept_request', alice.command('accept_request', { group: GROUP, user }));
    }
    await system.script('alice', `fs.writeFileSync('/files/${FILE}', crypto.randomBytes(${FILE_BYTES}))`);
    sha256 = await sha256In('alice');
    await expectOk('upload_file', alice.command('upload_file', { group: GROUP, path: `/files/${FILE}`, wait: true }));
    await fetchFile('bob');
    expect(await sha256In('bob')).toBe(sha256);
  });

  it('takes little where nobody does anything', async () => {
    const services = ['tracker-1', 'tracker-2', 'alice', 'bob', 'carol'] as const;
    const usages = (): Promise<Usage[]> => Promise.all(services.map((service) => system.usage(service)));
    const [before, begin] = [await usages(), performance.now()];
    await sleep(IDLE_MS);
    const [after, seconds] = [await usages(), secondsSince(begin)];
    for (const [index, service] of services.entries()) {
      const { residentBytes, cpuSeconds, cpuSecondsWithChecks } = after[index]!;
      const core = (cpuSeconds - before[index]!.cpuSeconds) / seconds;
      const withChecks = (cpuSecondsWithChecks - before[index]!.cpuSecondsWithChecks) / seconds;
      tell(
        `${service} idle: ${(residentBytes / MIB).toFixed(0)} MiB, ${(core * 100).toFixed(2)} % of a core, ` +
          `${(withChecks * 100).toFixed(2)} % with health checks`,
      );
      expect(residentBytes, service).toBeLessThan(service.startsWith('tracker') ? TRACKER_BYTES_MAX : PEER_BYTES_MAX);
      if (service.startsWith('tracker')) expect(core, service).toBeLessThan(TRACKER_CORE_MAX);
    }
  });

  it('goes on when a tracker is killed, which comes back by itself', async () => {
    const bob = await control('bob');
    const { trackers } = await expectOk('status', bob.get<{ trackers: { active: boolean }[] }>('/status'));
    const ordinal = trackers.findIndex(({ active }) => active) + 1;
    const service = `tracker-${ordinal}`;
    process.kill((await system.container(service)).State.Pid, 'SIGKILL');
    const begin = performance.now();
    await expectOk('create_group', bob.command('create_group', { group: 'made-while-one-was-down' }));
    tell(`the next command after ${service} was killed took ${secondsSince(begin).toFixed(1)} s`);
    await until(
      `${service} is well`,
      async () => (await system.container(service)).State.Health?.Status === 'healthy',
      60_000,
    );
    expect((await system.container(service)).RestartCount).toBe(1);
  });

  it('refuses commands while the broker is dead, shows what it knows, and goes on with no restart', async () => {
    const alice = await control('alice');
    const trackers = async (): Promise<string[]> =>
      Promise.all(['tracker-1', 'tracker-2'].map(async (service) => (await system.container(service)).State.StartedAt));
    const started = await trackers();
    await system.compose('kill', 'kafka-1');
    const { status, body } = await alice.command<{ code?: string }>('create_group', { group: 'made-later' });
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'log_unavailable' });
    expect(await expectOk('groups', alice.get('/groups'))).toHaveProperty('items.0.group');
    await system.compose('up', '--detach', '--wait', 'kafka-1');
    tell(
      `the next command after the broker came back took ${(await takenAfter(alice, 'made-after-all')).toFixed(1)} s`,
    );
    expect(await trackers()).toEqual(started);
  });

  it('has nothing of an error in its logs', async () => {
    const text = await system.compose(
      'logs',
      '--no-color',
      '--no-log-prefix',
      'tracker-1',
      'tracker-2',
      'alice',
      'bob',
      'carol',
    );
    const lines = text.split('\n').filter((line) => line !== '');
    expect(lines.filter((line) => !line.startsWith('{') && !/ ready(?: on|:) /.test(line))).toEqual([]);
    const written = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { level: string });
    expect(written.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });

  it('is backed up beside running trackers', async () => {
    await typeAll(system, BACK_UP, home);
    expect(readFileSync(join(home, 'cohort-2026-11-28.ndjson'), 'utf8')).toContain('made-after-all');
  });

  it('is upgraded one tracker after the other, while commands are taken', async () => {
    await system.type(BUILD);
    const newer = await buildNewer();
    const [alice, broker] = [await control('alice'), await system.container('kafka-1')];
    for (const [index, command] of UP_TRACKERS.entries()) {
      const upgraded = system.type(command);
      const seconds = await takenAfter(alice, `made-while-${index + 1}-was-upgraded`);
      tell(`a command while tracker-${index + 1} was upgraded took ${seconds.toFixed(1)} s`);
      await upgraded;
      expect((await system.container(`tracker-${index + 1}`)).Image).toBe(newer);
    }
    expect((await system.status(1)).ready && (await system.status(2)).ready).toBe(true);
    expect((await system.container('kafka-1')).State.StartedAt).toBe(broker.State.StartedAt);
  });

  it('ends gracefully when it is told to', async () => {
    const services = ['alice', 'bob', 'carol', 'tracker-1', 'tracker-2'];
    const begin = performance.now();
    await system.compose('stop', ...services);
    tell(`peers and trackers stopped after ${secondsSince(begin).toFixed(1)} s`);
    const containers = await Promise.all(services.map((service) => system.container(service)));
    expect(containers.map(({ State }) => State.ExitCode)).toEqual([0, 0, 0, 0, 0]);
    expect(containers.map(({ State }) => State.OOMKilled)).not.toContain(true);
  });

  it('has lost nothing after down and up: not the log, nor who is logged in, nor files', async () => {
    await system.compose('down');
    await bringUp(system, UP_DEMO);
    const statuses = await Promise.all([system.status(1), system.status(2)]);
    expect(statuses.map((status) => status.logId)).toEqual([logId, logId]);
    const carol = await control('carol');
    await until('carol is logged in', async () => {
      const { user } = await expectOk('status', carol.get<{ user: string | null }>('/status'));
      return user === 'carol';
    });
    await fetchFile('carol');
    expect(await sha256In('carol')).toBe(sha256);
  });

  it('goes on from a backup after the log was lost', async () => {
    await system.compose('rm', '--stop', '--force', 'kafka-1');
    await docker.run(['volume', 'rm', 'cohort_kafka-1']);
    await typeAll(system, RESTORE, home);
    expect((await system.status(1)).logId).toBe(logId);
    const alice = await control('alice');
    await takenAfter(alice, 'made-after-the-restore');
    const { items } = await expectOk('groups', alice.get<{ items: { group: string }[] }>('/groups'));
    const groups = items.map(({ group }) => group);
    expect(groups).toEqual(expect.arrayContaining([GROUP, 'made-after-all', 'made-after-the-restore']));
    expect(groups).not.toContain('made-while-1-was-upgraded');
    await system.compose('down', '--volumes');
  });
});

/** Kafka's own description of the topic. */
function describeTopic(system: Deployment): Promise<string> {
  const tool = ['java', '-Xmx64m', '-cp', '/opt/kafka/libs/*', 'org.apache.kafka.tools.TopicCommand'];
  const words = ['--bootstrap-server', 'kafka-1:9092', '--describe', '--topic', 'cohort-commands'];
  return system.compose('exec', '--no-TTY', 'kafka-1', ...tool, ...words);
}

describe.skipIf(skipReason !== null)('with three brokers', () => {
  it('goes on when one of them is killed', async () => {
    const system = await Deployment.of(docker, filesOf(UP_THREE));
    await bringUp(system, UP_THREE);
    await system.compose('up', '--detach', '--wait', 'alice');
    const alice = await system.control('alice');
    await enter(alice, 'alice');
    const topic = await describeTopic(system);
    expect(topic).toMatch(/ReplicationFactor: 3\b/);
    expect(topic).toMatch(/min\.insync\.replicas=2\b/);
    expect(topic).toMatch(/unclean\.leader\.election\.enable=false/);
    expect(topic).toMatch(/Isr: [123],[123],[123]\b/);
    await system.compose('kill', 'kafka-1');
    const seconds = await takenAfter(alice, GROUP);
    tell(`the next command after a broker was killed took ${seconds.toFixed(1)} s`);
    const { items } = await expectOk('groups', alice.get<{ items: { group: string }[] }>('/groups'));
    expect(items.map(({ group }) => group)).toEqual([GROUP]);
    await system.compose('--profile', 'demo', 'down', '--volumes');
  });
});

describe.skipIf(skipReason !== null)('with TLS and a login', () => {
  it('takes commands, and the broker has no other door for trackers', async () => {
    const system = await Deployment.of(docker, filesOf(UP_TLS));
    await bringUp(system, UP_TLS);
    await system.compose('up', '--detach', '--wait', 'alice');
    await enter(await system.control('alice'), 'alice');
    const audit = ['cohort', 'audit', 'log', '--log', 'kafka:kafka-1:9092/cohort-commands'];
    expect(await system.compose('exec', '--no-TTY', 'tracker-1', ...audit)).toMatch(
      /create_user\s.*alice|alice.*create_user/,
    );
    const plain = system.compose('exec', '--no-TTY', '--env', 'COHORT_KAFKA_CLIENT=', 'tracker-1', ...audit);
    await expect(plain).rejects.toMatchObject({ code: 69 });
    await system.compose('--profile', 'demo', 'down', '--volumes');
  });
});
