import { watch } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { until } from '../../infra/quick-start/until.ts';

const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** Names of what comes and goes in a folder from now on. */
function changesIn(folder: string): string[] {
  const names: string[] = [];
  const watcher = watch(folder, (_kind, name) => names.push(String(name)));
  endings.push(() => watcher.close());
  return names;
}

it('who waits for the file that says where a program answers finds all of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cohort-address-'));
  endings.push(() => rm(folder, { recursive: true, force: true }));
  const system = await LocalSystem.prepare({ folder, trackerCount: 1 });
  endings.push(() => system.stop());
  await mkdir(join(folder, 'alice'), { mode: 0o700 });
  const [ofTracker, ofPeer] = [changesIn(join(folder, 'tracker-1')), changesIn(join(folder, 'alice'))];
  await system.startTrackers();
  await system.startPeer('alice');
  for (const [changes, name] of [
    [ofTracker, 'http'],
    [ofTracker, 'log'],
    [ofPeer, 'control.json'],
  ] as const) {
    await until(`${name} is there`, () => changes.includes(name));
    // It was written under another name, and took its own when it was complete.
    expect(changes.slice(0, changes.indexOf(name))).toContain(`${name}.new`);
  }
});
