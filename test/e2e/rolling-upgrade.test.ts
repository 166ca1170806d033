// An upgrade of trackers as it is done: two of an older build, taken from the history of this repository, are replaced one after the
// other by this one, under commands, and then the newer rules are put in force.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openLogSource } from '../../apps/tracker/src/audit/log-source.ts';
import { replayUnproved } from '../../apps/tracker/src/audit/replay.ts';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { ROOT } from '../../infra/quick-start/node-process.ts';
import { outcomeOf, PASSWORD } from './cluster.ts';
import { TrackerProcess } from './tracker-processes.ts';
import { cohort } from './typed-commands.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** The last one that knew no rules above version 2. */
const OLDER_BUILD = '0fa3f9a287b1f8b6a52a79b53901c49a80b447bc';
const [OLDER_RULES, NEWER_RULES] = [2, 3];
/** What a command is answered when it has to be sent again under its id: that is what peers and their users do. */
const SENT_AGAIN = new Set(['503 outcome_unknown', '503 tracker_unavailable', '503 log_unavailable', '503 busy']);

const hasOlderBuild = spawnSync('git', ['cat-file', '-e', `${OLDER_BUILD}^{commit}`], { cwd: ROOT }).status === 0;
if (!hasOlderBuild) {
  const reason = `the history with ${OLDER_BUILD} is not here (git fetch --unshallow)`;
  if (process.env['COHORT_REQUIRE_HISTORY'] === '1') throw new Error(`COHORT_REQUIRE_HISTORY=1, but ${reason}`);
  process.stderr.write(`left out, the upgrade of trackers: ${reason}\n`);
}

interface UpgradeStatus {
  readonly ready: boolean;
  readonly rulesVersion: number;
  readonly newestRulesVersion?: number;
  readonly appliedOffset: number;
}

describe.skipIf(!hasOlderBuild)('trackers that are upgraded one after the other', () => {
  const trackers: TrackerProcess[] = [];
  let folder: string;
  let system: LocalSystem;
  let logUrl: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cohort-upgrade-'));
    logUrl = `sqlite:${join(folder, 'log.sqlite')}`;
    system = await LocalSystem.prepare({ folder, trackerCount: 2, logUrl });
    await unpackOlderBuild(join(folder, 'older'));
    await Promise.all([startOlder(1), startOlder(2)]);
  });
  afterAll(async () => {
    await system?.stop();
    await Promise.all(trackers.map((tracker) => tracker.kill()));
    await rm(folder, { recursive: true, force: true });
  });

  const dataDirectory = (n: number): string => join(folder, `tracker-${n}`);
  const wordsOf = (n: number): string[] => [
    ...['tracker', system.trackerInfo, String(n), '--data-dir', dataDirectory(n), '--log', logUrl],
  ];
  const statusOf = async (n: number): Promise<UpgradeStatus> =>
    (await trackers[n - 1]!.status()) as unknown as UpgradeStatus;
  const activate = (...words: string[]): ReturnType<typeof cohort> =>
    cohort(['operator', 'activate_rules', String(NEWER_RULES), '--data-dir', dataDirectory(1), ...words]);

  /** It runs from its sources, which need no build. */
  async function startOlder(n: number): Promise<void> {
    const hooks = join(ROOT, 'test/simulation/typescript-hooks.mjs');
    const main = join(folder, 'older/apps/tracker/src/main.ts');
    await run(n, ['--conditions=source', '--import', hooks, main, ...wordsOf(n)]);
  }

  const startNewer = (n: number): Promise<void> => run(n, [join(ROOT, 'dist/programs/tracker.js'), ...wordsOf(n)]);

  async function run(n: number, words: readonly string[]): Promise<void> {
    const tracker = new TrackerProcess(spawn(process.execPath, words, { cwd: folder }));
    trackers[n - 1] = tracker;
    await tracker.untilReady();
  }

  it('lose no command and run none twice, and the rules rise once all of them know them', async () => {
    const { control } = await system.startPeer('alice');
    for (const name of ['create_user', 'login']) {
      expect((await control.command(name, { user: 'alice', password: PASSWORD })).status).toBe(200);
    }
    const accepted: string[] = [];
    const loading = new AbortController();
    const load = (async () => {
      while (!loading.signal.aborted) {
        const [group, key] = [`group ${accepted.length}`, randomUUID()];
        let outcome: string;
        do outcome = outcomeOf(await control.command('create_group', { group }, key));
        while (SENT_AGAIN.has(outcome));
        expect(`${group}: ${outcome}`).toBe(`${group}: 200 accepted`);
        accepted.push(group);
      }
    })();

    expect(await statusOf(2)).toMatchObject({ ready: true, rulesVersion: OLDER_RULES });
    await trackers[0]!.stop('SIGTERM');
    await startNewer(1);
    expect(await statusOf(1)).toMatchObject({ rulesVersion: OLDER_RULES, newestRulesVersion: NEWER_RULES });
    const refused = await activate();
    expect(refused.exitCode).toBe(64);
    expect(refused.complaint).toMatch(
      /tracker [0-9a-f]{12} at 127\.0\.0\.1:\d+ runs an older build, which does not say/,
    );

    const countBefore = accepted.length;
    await trackers[1]!.stop('SIGTERM');
    await startNewer(2);
    expect(await activate()).toMatchObject({ exitCode: 0, complaint: '' });
    await expect.poll(async () => (await statusOf(2)).rulesVersion).toBe(NEWER_RULES);
    expect((await control.command('set_copies', { group: accepted[0]!, copies: 2 })).status).toBe(200);
    loading.abort();
    await load;

    expect(accepted.length).toBeGreaterThan(countBefore);
    expect(await createdGroups()).toEqual(accepted);
    const compared = await cohort(['audit', 'compare', ...trackers.map(({ http }) => http.replace('http://', ''))]);
    expect(compared).toMatchObject({ exitCode: 0, complaint: '' });

    await trackers[1]!.stop('SIGTERM');
    const again = await activate();
    expect(again.exitCode).toBe(64);
    expect(again.complaint).toMatch(/tracker [0-9a-f]{12} at 127\.0\.0\.1:\d+ does not answer/);
    expect(again.complaint).toContain('rules_unknown');
  });

  /** As the log has them, each as often as it took effect. */
  async function createdGroups(): Promise<string[]> {
    const source = await openLogSource(logUrl, null);
    const created: string[] = [];
    await replayUnproved(source, {
      visit: ({ applied }) => {
        for (const event of applied.events) if (event.type === 'group_created') created.push(event.group);
      },
    });
    await source.close();
    return created;
  }
});

async function unpackOlderBuild(into: string): Promise<void> {
  await mkdir(into);
  const archived = spawnSync('git', ['archive', OLDER_BUILD, 'apps/tracker', 'libs', 'package.json', 'tsconfig.json'], {
    cwd: ROOT,
    maxBuffer: 2 ** 26,
  });
  const unpacked = spawnSync('tar', ['-x', '-C', into], { input: archived.stdout });
  if (unpacked.status !== 0)
    throw new Error(`the older build was not unpacked: ${String(archived.stderr)}${String(unpacked.stderr)}`);
  await symlink(join(ROOT, 'node_modules'), join(into, 'node_modules'));
}
