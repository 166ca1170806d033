// What stands in the lines of a log, as they are written.
import { describe, expect, test } from 'vitest';
import { type LogSettings, openProcessLog } from '#program/open-process-log';
import { nestLoggerOf } from '#program/nest-logger';
import type { About, ProcessLog } from '#program/process-log';

interface Written {
  readonly log: ProcessLog;
  readonly lines: string[];
  nowMs: number;
}

function opened(settings: Partial<LogSettings> = {}): Written {
  const lines: string[] = [];
  const written: { nowMs: number } = { nowMs: 0 };
  const stream = { write: (line: string) => void lines.push(line) };
  const log = openProcessLog(
    'tracker',
    { level: 'info', format: 'json', ...settings },
    { stream, now: () => written.nowMs },
  );
  return Object.assign(written, { log, lines });
}

const objects = ({ lines }: Written): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a line as JSON', () => {
  test('says when, how bad, of which program and what it is about', () => {
    const written = opened();
    written.log.info('refused', { correlationId: 'c-1', command: 'login', code: 'wrong_credentials' });
    expect(objects(written)).toEqual([
      {
        ...{ level: 'info', program: 'tracker', pid: process.pid, msg: 'refused' },
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        ...{ correlationId: 'c-1', command: 'login', code: 'wrong_credentials' },
      },
    ]);
  });

  test('has of an error its name, message, code, stack and causes, and nothing else that it carries', () => {
    const written = opened();
    const cause = Object.assign(new Error('no room'), { code: 'ENOSPC', password: 'Kestrel-41' });
    written.log.error('failed', { error: Object.assign(new TypeError('cannot', { cause }), { token: 'Kestrel-42' }) });
    expect(objects(written)[0]!['error']).toEqual({
      type: 'TypeError',
      message: 'cannot',
      stack: expect.stringContaining('process-log.test.ts') as string,
      cause: { type: 'Error', message: 'no room', code: 'ENOSPC', stack: expect.any(String) as string },
    });
    expect(written.lines.join('')).not.toContain('Kestrel');
  });

  test('is one line, whatever the words are', () => {
    const written = opened();
    written.log.warn('one\ntwo');
    expect(written.lines).toHaveLength(1);
    expect(written.lines[0]!.trimEnd()).not.toContain('\n');
  });
});

test.each([
  ['debug', ['debug', 'info', 'warn', 'error', 'fatal']],
  ['info', ['info', 'warn', 'error', 'fatal']],
  ['warn', ['warn', 'error', 'fatal']],
  ['error', ['error', 'fatal']],
  ['silent', []],
] as const)('with the level %s these are written: %j', (level, expected) => {
  const written = opened({ level });
  for (const at of ['debug', 'info', 'warn', 'error', 'fatal'] as const) written.log[at]('words');
  expect(objects(written).map((line) => line['level'])).toEqual(expected);
});

describe('a line as text', () => {
  const text = (words: string, about?: About): string => {
    const written = opened({ format: 'text' });
    written.log.warn(words, about);
    return written.lines.join('').replace(/^\S+/, 'TIME');
  };

  test('begins with the time and the level, and what it is about comes last', () => {
    expect(text('no answer', { tracker: '127.0.0.1:9001', durationMs: 3 })).toBe(
      'TIME warning no answer tracker=127.0.0.1:9001 durationMs=3\n',
    );
  });

  test('moves nothing on a terminal', () => {
    expect(text('a\u001b[2Jb', { correlationId: 'c\nd' })).toBe('TIME warning a\\u{1b}[2Jb correlationId=c\\u{a}d\n');
  });

  test('shows where a value ends, and which lines go on from one before', () => {
    expect(text('one\ntwo', { correlationId: 'a command=b', tracker: 'c "d"\\', command: '' })).toBe(
      'TIME warning one\n  two correlationId="a command=b" tracker="c \\"d\\"\\\\" command=""\n',
    );
  });

  test('shows where a bug is, and what it came from', () => {
    const error = new Error('cannot', { cause: 'a broken wire' });
    error.stack = 'Error: cannot\n    at here';
    expect(text('a bug', { error })).toBe(
      'TIME warning a bug\n  Error: cannot\n      at here\n  string: a broken wire\n',
    );
  });
});

describe('what is said again and again', () => {
  const refusal = { code: 'rate_limited' };

  test('is written ten times in ten seconds, and then it is told how many were left out', () => {
    const written = opened();
    for (let turn = 0; turn < 1_000; turn++) written.log.info('refused', { ...refusal, correlationId: String(turn) });
    expect(written.lines).toHaveLength(10);
    written.nowMs = 10_000;
    written.log.info('refused', refusal);
    written.log.info('refused', refusal);
    expect(objects(written).map((line) => line['leftOut'])).toEqual([...Array<undefined>(10), 990, undefined]);
  });

  test('keeps nothing else from being said', () => {
    const written = opened();
    for (let turn = 0; turn < 100; turn++) written.log.info('refused', refusal);
    written.log.info('refused', { code: 'busy' });
    written.log.warn('refused', refusal);
    expect(written.lines).toHaveLength(12);
  });

  test('hides no other bug, and none elsewhere', () => {
    const written = opened();
    const bug = { code: 'internal_error', error: new TypeError('one') };
    for (let turn = 0; turn < 100; turn++) written.log.error('a bug', { ...bug, command: 'login' });
    written.log.error('a bug', { ...bug, command: 'login', error: new RangeError('two') });
    written.log.error('a bug', { ...bug, command: 'logout' });
    written.log.error('a bug', { ...bug, route: '/status' });
    expect(written.lines).toHaveLength(13);
  });

  test('is written each time for who asks for everything', () => {
    const written = opened({ level: 'debug' });
    for (let turn = 0; turn < 100; turn++) written.log.info('refused', refusal);
    expect(written.lines).toHaveLength(100);
  });

  test('is remembered of a bounded number of things', () => {
    const written = opened();
    for (let turn = 0; turn < 11; turn++) written.log.info('first');
    for (let turn = 0; turn < 1_000; turn++) written.log.info(`word ${turn}`);
    const before = written.lines.length;
    written.log.info('first');
    expect(written.lines).toHaveLength(before + 1);
  });
});

test('of what Nest says only warnings and errors are written', () => {
  const written = opened();
  const nest = nestLoggerOf(written.log);
  for (const say of Object.values(nest)) say('words', undefined, 'Context');
  expect(objects(written).map(({ level, msg }) => [level, msg])).toEqual([
    ['warn', 'words Context'],
    ['error', 'words Context'],
    ['error', 'words Context'],
  ]);
});
