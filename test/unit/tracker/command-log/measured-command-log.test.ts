import { expect, it } from 'vitest';
import { LogFailure, type CommandLog } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { MeasuredCommandLog } from '../../../../apps/tracker/src/command-log/measured-command-log.ts';
import { MemoryLog } from '../memory-log.ts';

const record = { value: new Uint8Array([1]), sealed: null };

it('an append is measured until the log has it, and a failed one with its code', async () => {
  const measured: (string | null)[] = [];
  const of = (log: CommandLog): MeasuredCommandLog =>
    new MeasuredCommandLog(log, (failure, seconds) => {
      expect(seconds).toBeGreaterThanOrEqual(0);
      measured.push(failure);
    });
  const log = new MemoryLog();
  expect(await of(log).append([record])).toEqual([0]);
  expect(await of(log).end()).toBe(1);
  log.append = () => Promise.reject(new LogFailure('log_busy', 'full'));
  await expect(of(log).append([record])).rejects.toMatchObject({ code: 'log_busy' });
  expect(measured).toEqual([null, 'log_busy']);
});
