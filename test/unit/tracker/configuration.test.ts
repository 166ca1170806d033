import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BadInput } from '#identity/start-input';
import { readConfiguration } from '../../../apps/tracker/src/configuration.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cohort-test-'));
  file = join(directory, 'tracker_info.txt');
  await writeFile(file, `127.0.0.1:9001 sha256:${'a'.repeat(64)}\nlocalhost 9002 # the other one\n`);
});
afterEach(() => rm(directory, { recursive: true }));

describe("a tracker's configuration", () => {
  it('comes from its line of the file', async () => {
    const data = { dataDir: directory };
    expect(await readConfiguration(file, '1', data)).toEqual({
      trackerInfoPath: file,
      rpc: { host: '127.0.0.1', port: 9001 },
      address: '127.0.0.1:9001',
      pinnedId: 'a'.repeat(64),
      dataDirectory: directory,
      logUrl: `sqlite:${join(directory, 'cohort-log.sqlite')}`,
      http: { host: '127.0.0.1', port: 0 },
      kafkaClientFile: null,
      logging: { level: 'info', format: process.stderr.isTTY ? 'text' : 'json' },
    });
    expect(await readConfiguration(file, '2', data)).toMatchObject({ address: 'localhost:9002', pinnedId: null });
  });

  it('takes a log and a port that were asked for', async () => {
    const flags = { dataDir: directory, log: 'kafka:127.0.0.1:9092', http: { host: '::1', port: 8080 } };
    expect(await readConfiguration(file, '1', flags)).toMatchObject({
      logUrl: 'kafka:127.0.0.1:9092',
      http: { host: '::1', port: 8080 },
    });
  });

  it.each(['0', '3', '-1', '1.5', 'one', ''])('has no tracker number %j among two', async (n) => {
    await expect(readConfiguration(file, n, {})).rejects.toBeInstanceOf(BadInput);
  });
});
