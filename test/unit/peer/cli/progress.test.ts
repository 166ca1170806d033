import { expect, test } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { progressLine } from '../../../../apps/peer/src/cli/progress-bar.ts';
import { shortened, textWidth } from '../../../../apps/peer/src/cli/text-width.ts';

const MIB = 1024 * 1024;
const moving = {
  ...{ file: 'holidays.mkv', state: 'downloading', reason: null, peers: [] },
  ...{ verifiedBytes: MIB, wantedBytes: 4 * MIB, bytesPerSecond: 2 * MIB, etaSeconds: 90 },
} as unknown as TransferView;

test.each([
  [100, 'holidays.mkv  [######------------------]  25% of 4.0 MiB  2.0 MiB/s  1:30 left'],
  [70, 'holidays.mkv  [###---------]  25% of 4.0 MiB  2.0 MiB/s  1:30 left'],
  [60, 'holidays.mkv  25% of 4.0 MiB  2.0 MiB/s  1:30 left'],
  [40, 'holidays.mkv  25%  2.0 MiB/s  1:30 left'],
  [20, 'holidays.mkv  25% …'],
])('in %i columns', (columns, line) => {
  expect(progressLine(moving, columns)).toBe(line);
});

test('a long name gives way before the numbers do', () => {
  const line = progressLine({ ...moving, file: `${'x'.repeat(200)}.mkv` }, 80);
  expect(line).toMatch(/^x+… {2}\[#{6}-{18}\] {2}25% of 4\.0 MiB {2}2\.0 MiB\/s {2}1:30 left$/);
  expect(line).toHaveLength(79);
});

test('a line never takes more cells than the terminal has, whatever letters a name is of', () => {
  for (const file of ['映画'.repeat(60), '🎬'.repeat(50), 'é'.normalize('NFD').repeat(90), '']) {
    for (let columns = 1; columns < 140; columns++) {
      expect(textWidth(progressLine({ ...moving, file }, columns)), `${file} in ${columns}`).toBeLessThan(columns);
    }
  }
});

test('a text is cut between characters', () => {
  expect([shortened('映画', 4), shortened('映画', 3), shortened('映画', 2), shortened('abc', 0)]).toEqual([
    '映画',
    '映…',
    '…',
    '',
  ]);
});
