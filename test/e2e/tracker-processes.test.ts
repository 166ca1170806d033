import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Cleanup, films, verdict } from './tracker-harness.ts';
import { cohort, TrackerFolder } from './tracker-processes.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('a tracker', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stop cleanly within two seconds at %s, with peers connected',
    async (signal) => {
      const folder = await TrackerFolder.create(cleanup, 1);
      const tracker = await folder.start(1);
      const { alice } = await films(cleanup, tracker);
      alice.subscribe().subscribe({ error: () => undefined });
      await alice.view('hello');
      const httpFile = join(folder.dataDirectory(1), 'http');
      expect(await readFile(httpFile, 'utf8')).toMatch(/^127\.0\.0\.1:\d+\n$/);
      const { code, milliseconds } = await tracker.stop(signal);
      expect({ code, errors: tracker.errors }).toEqual({ code: 0, errors: '' });
      expect(milliseconds).toBeLessThan(2_000);
      expect(existsSync(httpFile)).toBe(false);
    },
  );
});

describe('an operator', () => {
  it('resets a password through the log, while the tracker runs', async () => {
    const folder = await TrackerFolder.create(cleanup, 1);
    const tracker = await folder.start(1);
    const { alice } = await films(cleanup, tracker);
    const words = ['operator', 'reset_password', 'alice', '--data-dir', folder.dataDirectory(1)];
    const done = await cohort(words, 'entirely new\n');
    expect(done).toMatchObject({ code: 0, errors: '' });
    expect(done.out).toMatch(/^accepted at offset \d+: alice has a new password, and is logged out everywhere\n$/);
    alice.seenOffset = Number(/accepted at offset (\d+)/.exec(done.out)![1]);
    expect(verdict(await alice.command('create_group', { group: 'more' }))).toBe('not_logged_in');
    expect(verdict(await alice.command('login', { user: 'alice', password: 'correct horse' }))).toBe(
      'wrong_credentials',
    );
    expect(verdict(await alice.command('login', { user: 'alice', password: 'entirely new' }))).toBe('accepted');
  });

  it('is told what cannot be', async () => {
    const folder = await TrackerFolder.create(cleanup, 1);
    await folder.start(1);
    const data = ['--data-dir', folder.dataDirectory(1)];
    const reset = await cohort(['operator', 'reset_password', 'nobody', ...data], 'entirely new\n');
    expect(reset).toMatchObject({
      code: 66,
      errors: expect.stringContaining('there is no such user (user_not_found)') as unknown,
    });
    expect(await cohort(['operator', 'reset_password', 'nobody', ...data], 'short\n')).toMatchObject({ code: 64 });
    expect(await cohort(['operator', 'activate_rules', '3', ...data])).toMatchObject({ code: 64 });
    expect(await cohort(['operator', 'resolve_checkpoint', '-1', ...data])).toMatchObject({ code: 64 });
    expect(await cohort(['operator', 'resolve_checkpoint', '0', ...data])).toMatchObject({
      code: 66,
      errors: expect.stringContaining('is no checkpoint (checkpoint_not_found)') as unknown,
    });
    expect(await cohort(['operator', 'resolve_checkpoint', '0', '--counts', 'me', ...data])).toMatchObject({
      code: 64,
    });
    const nowhere = join(folder.directory, 'nowhere', 'log.sqlite');
    expect(await cohort(['operator', 'resolve_checkpoint', '0', '--log', `sqlite:${nowhere}`, ...data])).toMatchObject({
      code: 64,
      errors: expect.stringContaining(`there is no log at sqlite:${nowhere}: say which one with --log`) as unknown,
    });
    expect(existsSync(dirname(nowhere))).toBe(false);
    const stranger = await cohort(['operator', 'resolve_checkpoint', '0', '--data-dir', folder.directory]);
    expect(stranger).toMatchObject({ code: 64, errors: expect.stringContaining("no tracker's key") as unknown });
  });
});

describe('a tracker refuses to start', () => {
  it('with another key than tracker_info.txt pins', async () => {
    const folder = await TrackerFolder.create(cleanup, 1);
    const data = ['--data-dir', folder.dataDirectory(1)];
    const { out } = await cohort(['keys', 'init', ...data]);
    expect(await cohort(['fingerprint', ...data])).toEqual({ code: 0, out, errors: '' });
    const elsewhere = await cohort(['fingerprint', '--data-dir', folder.dataDirectory(2)]);
    expect(elsewhere).toMatchObject({ code: 64, errors: expect.stringContaining("no tracker's key") as unknown });
    const address = (await readFile(folder.infoFile, 'utf8')).trim();
    await writeFile(folder.infoFile, `${address} sha256:${'0'.repeat(64)}\n`);
    const refused = await cohort(['tracker', folder.infoFile, '1', ...data]);
    expect(refused.code).toBe(64);
    expect(refused.errors).toContain(out.trim());
    await writeFile(folder.infoFile, `${address} ${out}`);
    await folder.start(1);
  });

  it('in a folder that another one uses, or on its port', async () => {
    const folder = await TrackerFolder.create(cleanup, 1);
    await folder.start(1);
    const locked = await cohort(['tracker', folder.infoFile, '1', '--data-dir', folder.dataDirectory(1)]);
    expect(locked).toMatchObject({ code: 69, errors: expect.stringContaining('in use') as unknown });
    const busy = await cohort(['tracker', folder.infoFile, '1', '--data-dir', folder.dataDirectory(2)]);
    expect(busy).toMatchObject({ code: 69, errors: expect.stringMatching(/127\.0\.0\.1:\d+ is in use/) as unknown });
  });

  it.each([
    ['a line that is none', 'nonsense here there', '1', /tracker_info.txt:1:/],
    ['a number that is on no line', '127.0.0.1:9001', '2', /from 1 to 1/],
    ['the embedded log for trackers on two machines', '127.0.0.1:9001\n192.0.2.1:9001', '1', /192\.0\.2\.1/],
  ])('with %s', async (_what, info, n, message) => {
    const folder = await TrackerFolder.create(cleanup, 1);
    await writeFile(folder.infoFile, info);
    const refused = await cohort(['tracker', folder.infoFile, n, '--data-dir', folder.dataDirectory(1)]);
    expect(refused).toMatchObject({ code: 64, out: '' });
    expect(refused.errors).toMatch(message);
  });

  it('with words that are none of its own', async () => {
    for (const words of [['tracker'], ['tracker', 'a', '1', '--colour', 'red'], ['operator', 'do']]) {
      expect((await cohort(words)).code, words.join(' ')).toBe(64);
    }
  });
});
