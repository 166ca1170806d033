// A whole story, and then a look at everything that it left behind: what is secret stands in the files made for it and nowhere else.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Cluster, type TestPeer } from './cluster.ts';
import { until } from '../../infra/quick-start/until.ts';
import { cohort, endOf, startCohort, type Typed } from './typed-commands.ts';

vi.setConfig({ testTimeout: 60_000 });

const PASSWORDS = ['Kestrel-first-41', 'Kestrel-second-42', 'Kestrel-wrong-43', 'Kestrel-reset-44'] as const;
const [FIRST, SECOND, WRONG, RESET] = PASSWORDS;
/** Files that are made for a secret, by their names. */
const MADE_FOR_SECRETS: ReadonlySet<string> = new Set(['identity.key', 'control-token']);

/** What was looked at, by where it was. */
const seen = new Map<string, Buffer>();
/** By what they are. */
const secrets = new Map<string, string>();
let cluster: Cluster;

const look = (where: string, text: string | Buffer): void => void seen.set(where, Buffer.from(text));

async function typed(peer: TestPeer, words: readonly string[], input = ''): Promise<Typed> {
  const result = await cohort([...words, '--data-dir', peer.dataDirectory], { input });
  look(`what ${words.join(' ')} printed`, result.out + result.complaint);
  return result;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Command line and environment of every process of this user that belongs to the cluster. */
function lookAtProcesses(): void {
  if (!existsSync('/proc/self/cmdline')) return;
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    for (const file of ['cmdline', 'environ']) {
      try {
        const text = readFileSync(`/proc/${pid}/${file}`);
        if (readFileSync(`/proc/${pid}/cmdline`).includes(cluster.folder)) look(`/proc/${pid}/${file}`, text);
      } catch {
        // It has ended, or is not ours.
      }
    }
  }
}

/** Whether the command line itself, in the process that the launcher begins, was among what was looked at. */
function hasCommandLine(): boolean {
  lookAtProcesses();
  return [...seen].some(([where, text]) => where.endsWith('/cmdline') && text.includes('login\0bob\0--data-dir'));
}

async function lookAtPages(peers: readonly TestPeer[]): Promise<void> {
  for (const { control, name } of peers) {
    for (const path of [
      'status',
      'transfers',
      'sessions',
      'api-keys',
      'events?timeout=0&since=0',
      'groups',
      'limits',
    ]) {
      look(`${path} of ${name}`, JSON.stringify(await control.get(`/${path}`)));
    }
    look(`metrics of ${name}`, await (await fetch(`${control.url}/metrics`)).text());
  }
  for (const { http, ordinal } of cluster.system.trackers) {
    for (const path of ['metrics', 'status', 'health/ready']) {
      look(`${path} of tracker ${ordinal}`, await (await fetch(`${http}/${path}`)).text());
    }
  }
}

/** Users and a login that fails, a transfer, a new password and one that an operator sets, a key. */
async function story(): Promise<void> {
  const [alice, bob] = [await cluster.peer('alice'), await cluster.peer('bob')];
  for (const peer of [alice, bob]) {
    await typed(peer, ['create_user', peer.name], `${FIRST}\n`);
    expect((await typed(peer, ['login', peer.name], `${WRONG}\n`)).exitCode).toBe(77);
    expect((await typed(peer, ['login', peer.name], `${FIRST}\n`)).exitCode).toBe(0);
  }
  await cluster.group('films', alice, bob);
  await typed(alice, ['upload_file', 'films', await cluster.file('film.mkv', 100_000)]);
  expect((await typed(bob, ['download_file', 'films', 'film.mkv', cluster.path('of-bob.mkv')])).exitCode).toBe(0);
  expect((await typed(alice, ['change_password'], `${FIRST}\n${SECOND}\n`)).exitCode).toBe(0);
  const { out } = await cohort(['create_api_key', 'reader', '--json', '--data-dir', alice.dataDirectory]);
  secrets.set('API key', (JSON.parse(out) as { key: string }).key);
  const answer = await fetch(`${alice.control.url}/api/v1/groups`, {
    headers: { authorization: `Bearer ${secrets.get('API key')}` },
  });
  expect(answer.status).toBe(200);
  const [tracker] = cluster.system.trackers;
  const reset = ['operator', 'reset_password', 'bob', '--data-dir', tracker!.dataDirectory];
  const { exitCode, out: said, complaint } = await cohort(reset, { input: `${RESET}\n` });
  look('what reset_password printed', said + complaint);
  expect(exitCode).toBe(0);
  const login = startCohort(['login', 'bob', '--data-dir', bob.dataDirectory]);
  await until('the command line runs', () => hasCommandLine() || !existsSync('/proc/self/cmdline'));
  lookAtProcesses();
  expect((await endOf(login, `${RESET}\n`)).exitCode).toBe(0);
  await lookAtPages([alice, bob]);
}

beforeAll(async () => {
  cluster = await Cluster.start({ environment: { COHORT_LOG_LEVEL: 'debug' } });
  for (const password of PASSWORDS) secrets.set(`password ${password}`, password);
  await story();
  const processes = [...cluster.system.trackers, ...cluster.system.peers];
  await cluster.system.stop();
  for (const { process } of processes) look(`what ${process.name} printed`, process.output);
  for (const path of filesBelow(cluster.folder)) {
    const content = readFileSync(path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!MADE_FOR_SECRETS.has(name)) look(path, content);
    else secrets.set(path, secretIn(content.toString()));
  }
}, 120_000);
afterAll(() => cluster.stop());

/** The token, or what stands between the lines of a PEM file. */
function secretIn(text: string): string {
  return text.replaceAll(/-----[A-Z ]+-----/g, '').trim();
}

it('passwords, tokens, keys and API keys stand in no log, file, answer, metric, event, output or list of processes', () => {
  expect(secrets.size).toBe(PASSWORDS.length + 1 + 2 * 2 + 2);
  expect(seen.size).toBeGreaterThan(60);
  const leaks = [...secrets].flatMap(([what, secret]) =>
    [...seen].filter(([, content]) => content.includes(secret)).map(([where]) => `${what} in ${where}`),
  );
  expect(leaks).toEqual([]);
});

it('what was looked at is what there is', () => {
  const places = [...seen.keys()].join('\n');
  const { trackers, peers } = cluster.system;
  for (const { process } of peers) expect(process.output).toContain('"level":"debug"');
  // Which of them the commands went through is up to the peers.
  expect(trackers.map(({ process }) => process.output).join('\n')).toContain('"level":"debug"');
  for (const place of ['log.sqlite', 'events.ndjson', 'api-keys.json', 'link.json', 'commands.ndjson', 'metrics of']) {
    expect(places).toContain(place);
  }
  const everything = Buffer.concat([...seen.values()]).toString('latin1');
  // The names of the same commands do stand there.
  for (const word of ['cohort.change_password.v1', 'reset_password', 'film.mkv', '$argon2id$'])
    expect(everything).toContain(word);
});

it('files that hold secrets, hashes of passwords or the log are read by their owner alone', () => {
  const open = filesBelow(cluster.folder).filter((path) => {
    const isPrivate =
      /(?:identity\.key|control-token|api-keys\.json|log\.sqlite(?:-wal|-shm)?|\.ndjson|link\.json)$/.test(path);
    return isPrivate && (statSync(path).mode & 0o077) !== 0;
  });
  expect(open).toEqual([]);
});
