import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openCommandLog, parseLogAddress } from '../../../../apps/tracker/src/command-log/open-command-log.ts';

describe('the address of a log', () => {
  test.each([
    ['sqlite:log.sqlite', { kind: 'sqlite', file: 'log.sqlite' }],
    ['sqlite:/a folder/ü.sqlite', { kind: 'sqlite', file: '/a folder/ü.sqlite' }],
    ['kafka:127.0.0.1:9092', { kind: 'kafka', brokers: ['127.0.0.1:9092'], topic: 'cohort-commands' }],
    ['kafka:b1:1,B2:2/t', { kind: 'kafka', brokers: ['b1:1', 'b2:2'], topic: 't' }],
    ['kafka:[::1]:9092/my.log_1-x', { kind: 'kafka', brokers: ['[::1]:9092'], topic: 'my.log_1-x' }],
  ])('%s is read', (url, address) => {
    expect(parseLogAddress(url)).toEqual(address);
  });

  test.each([
    ['', 'write sqlite:<file> or kafka:'],
    ['log.sqlite', 'write sqlite:<file> or kafka:'],
    ['postgres:x', 'write sqlite:<file> or kafka:'],
    ['sqlite:', 'names no file'],
    ['sqlite:a\0b', 'NUL'],
    ['kafka:', 'host:port'],
    ['kafka:localhost', 'host:port'],
    ['kafka:localhost:0', "needs the broker's port"],
    ['kafka:localhost:9092,', 'host:port'],
    ['kafka:localhost:9092/', 'is not a topic'],
    ['kafka:localhost:9092/a b', 'is not a topic'],
    ['kafka:localhost:9092/..', 'is not a topic'],
    [`kafka:localhost:9092/${'x'.repeat(250)}`, 'is not a topic'],
  ])('%j is refused, with what to write instead', (url, message) => {
    expect(() => parseLogAddress(url)).toThrow(
      expect.objectContaining({
        code: 'log_misconfigured',
        retryable: false,
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('a SQLite log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cohort-open-log-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const open = (trackerInfo: string) => {
    const trackerInfoPath = join(folder, 'tracker_info.txt');
    writeFileSync(trackerInfoPath, trackerInfo);
    return openCommandLog({ url: `sqlite:${join(folder, 'log.sqlite')}`, trackerInfoPath });
  };

  test('is refused when a tracker of the list is on another machine', async () => {
    await expect(open('127.0.0.1:9001\n192.0.2.7:9002\n')).rejects.toMatchObject({
      code: 'log_misconfigured',
      message: expect.stringContaining('192.0.2.7'),
    });
  });

  test('is opened when all trackers of the list are on this machine', async () => {
    const log = await open('127.0.0.1:9001\nlocalhost:9002\n[::1]:9003\n127.1.2.3:9004\n');
    expect(await log.end()).toBe(0);
    await log.close();
  });
});
