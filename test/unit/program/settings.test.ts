// What programs can be told, and by whom: flags, environment, file, and what is said of what is wrong in each.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, test } from 'vitest';
import { PEER_SETTINGS } from '#program/peer-settings';
import { addSettings } from '#program/settings-options';
import { readSettingsFile } from '#program/settings-file';
import { kebab, type Settings, settle, variableOf } from '#program/settings';
import { TRACKER_SETTINGS } from '#program/tracker-settings';

const directory = mkdtempSync(join(tmpdir(), 'cohort-settings-'));
const file = join(directory, 'cohort.json');
afterAll(() => rmSync(directory, { recursive: true }));

const written = (content: object | string, settings: Settings = PEER_SETTINGS) => {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return readSettingsFile(file, settings);
};

interface Given {
  readonly flags?: Record<string, unknown>;
  readonly environment?: Record<string, string>;
  readonly content?: object;
}

const settled = ({ flags = {}, environment = {}, content }: Given, settings: Settings = PEER_SETTINGS) =>
  settle(settings, {
    flags,
    environment,
    file: content === undefined ? null : written(content, settings),
    folder: '/here',
  });

describe('a setting', () => {
  const content = { control: '127.0.0.1:1', workers: 1, 'data-dir': 'kept' };
  const environment = { COHORT_CONTROL: '127.0.0.1:2', COHORT_WORKERS: '2', COHORT_LISTEN: '' };
  const flags = { control: '127.0.0.1:3' };

  test('is what the flag says, else the environment, else the file', () => {
    const from = [...settled({ flags, environment, content })].map(([name, { value, source, where }]) => [
      name,
      value,
      source,
      where,
    ]);
    expect(from).toEqual([
      ['dataDir', join(directory, 'kept'), 'file', `${file}:4: data-dir`],
      ['control', { host: '127.0.0.1', port: 3 }, 'flag', '--control'],
      ['workers', 2, 'environment', 'COHORT_WORKERS'],
    ]);
  });

  test('that is a path is relative to where it stands: in a file to its folder', () => {
    const paths = { dataDir: '/here/a', controlTokenFile: join(directory, 'token') };
    const of = settled({ flags: { dataDir: 'a' }, content: { 'control-token-file': 'token' } });
    expect(Object.fromEntries([...of].map(([name, { value }]) => [name, value]))).toEqual(paths);
    const log = settled({ content: { log: 'sqlite:log.sqlite' } }, TRACKER_SETTINGS).get('log');
    expect(log?.value).toBe(`sqlite:${resolve(directory, 'log.sqlite')}`);
  });

  test('of which there can be several is a list, with commas or in JSON', () => {
    const value = ['a.example', 'b.example:80', 'c.example'];
    for (const given of [
      { flags: { allowHost: ['A.example,b.example:80', 'c.example'] } },
      { environment: { COHORT_ALLOW_HOST: 'a.example,b.example:80,c.example' } },
      { content: { 'allow-host': ['a.example', 'b.example:80', 'c.example'] } },
    ]) {
      expect(settled(given).get('allowHost')?.value).toEqual(value);
    }
  });

  test('that is a switch is off where it says so, also when what counts less says on', () => {
    const plain = (given: Given) => settled(given).get('plain')?.value;
    expect(plain({ environment: { COHORT_PLAIN: '0' }, content: { plain: true } })).toBe(false);
    expect(plain({ flags: { plain: true }, environment: { COHORT_PLAIN: 'false' } })).toBe(true);
    expect(plain({ environment: { COHORT_PLAIN: '' } })).toBeUndefined();
  });
});

describe('what is wrong is refused by name', () => {
  test.each([
    [{ flags: { uploadLimit: 'fast' } }, /^--upload-limit: "fast" is not a rate; .*50MB/],
    [{ flags: { activeTransfers: '2.5' } }, /^--active-transfers: "2.5" .*from 1 to 10000/],
    [{ flags: { scrubRate: 'none' } }, /^--scrub-rate: "none" is no rate; .*0/],
    [{ flags: { keepCopiesLimit: '1GB/s' } }, /^--keep-copies-limit: "1GB\/s" is not a number of bytes/],
    [{ flags: { control: '80' } }, /^--control: .*127\.0\.0\.1:7070/],
    [
      { environment: { COHORT_WORKERS: '65' } },
      /^COHORT_WORKERS: "65" is not a number of threads; give one from 1 to 64/,
    ],
    [{ environment: { COHORT_PLAIN: 'off' } }, /^COHORT_PLAIN: "off" says neither on nor off; give 1 or 0/],
    [
      { environment: { COHORT_LOG_LEVEL: 'loud' } },
      /^COHORT_LOG_LEVEL: "loud" is none of debug, info, warn, error, silent/,
    ],
    [{ content: { control: '127.0.0.1:1', workers: 0 } }, /cohort\.json:3: workers: "0" is not a number of threads/],
  ])('%j', (given, message) => {
    expect(() => settled(given)).toThrow(message);
  });

  test.each([
    [
      '{"data_dir": "a"}',
      /cohort\.json:1: there is no setting "data_dir"; did you mean "data-dir"\? There are data-dir, /,
    ],
    ['{\n  "control": "127.0.0.1:1",\n  "worker": 1\n}', /cohort\.json:3: .*did you mean "workers"/],
    ['{"config": "other.json"}', /cohort\.json:1: there is no setting "config"/],
    ['{"http": "127.0.0.1:1"}', /cohort\.json:1: there is no setting "http"/],
    ['{"workers": {"count": 1}}', /cohort\.json:1: workers: \{"count":1\} is no text, number, true or false/],
    ['{"workers": [1]}', /cohort\.json:1: workers: give one value, no list/],
    ['{\n"workers": []}', /cohort\.json:2: workers: give one value, no list/],
    ['{"workers": null}', /cohort\.json:1: workers: null is no/],
    ['["workers"]', /cohort\.json: give one JSON object/],
    ['{workers: 1}', /cohort\.json is not JSON: /],
  ])('in a file: %s', (text, message) => {
    expect(() => written(text)).toThrow(message);
  });

  test('a file that is not there', () => {
    expect(() => readSettingsFile(join(directory, 'none.json'), PEER_SETTINGS)).toThrow(
      /^there is no file \/.*none\.json/,
    );
  });
});

test('an action is given what was said on the line, in the environment and in the file', async () => {
  written({ http: '127.0.0.1:7', 'log-level': 'debug' }, TRACKER_SETTINGS);
  const given: object[] = [];
  const command = new Command().exitOverride();
  addSettings(command, TRACKER_SETTINGS, ['dataDir', 'http', 'config']).action(
    (flags: object) => void given.push(flags),
  );
  await command.parseAsync(['--data-dir', '/data', '--config', file], { from: 'user' });
  expect(given).toEqual([{ dataDir: '/data', http: { host: '127.0.0.1', port: 7 }, config: file }]);
});

const documentation = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');

test.each([
  ['tracker', TRACKER_SETTINGS as Settings],
  ['peer', PEER_SETTINGS as Settings],
])('the table of the documentation has every setting of a %s as it is', (program, settings) => {
  const [, table = ''] =
    new RegExp(`\\| flag of \`cohort ${program}\` .*\\n\\|[-| ]+\\|\\n((?:\\|.*\\n)+)`).exec(documentation) ?? [];
  const cells = table
    .trim()
    .split('\n')
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  const expected = Object.entries(settings).map(([name, { placeholder, byDefault, meaning }]) => [
    `--${kebab(name)}${placeholder === null ? '' : ` <${placeholder}>`}`,
    variableOf(name),
    byDefault,
    meaning,
  ]);
  expect(cells).toEqual(expected);
});
