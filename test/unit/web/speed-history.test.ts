import { describe, expect, it } from 'vitest';
import { HISTORY_SECONDS, scaleTop, SpeedHistory } from '../../../apps/peer/web/src/transfers/speed-history.ts';

const at = (seconds: number): number => 1_700_000_000_000 + seconds * 1000;
const rates = (down: number, up = 0): { downBytesPerSecond: number; upBytesPerSecond: number } => ({
  downBytesPerSecond: down,
  upBytesPerSecond: up,
});

describe('the rates of the last five minutes', () => {
  it('end with the newest second, and a second told of twice counts once', () => {
    const history = new SpeedHistory();
    history.note(at(0), rates(1));
    history.note(at(1), rates(2, 7));
    history.note(at(1.5), rates(3, 8));
    const { down, up } = history.series();
    expect([...down.slice(-3)]).toEqual([0, 1, 3]);
    expect([...up.slice(-2)]).toEqual([0, 8]);
    expect(down.length).toBe(HISTORY_SECONDS);
  });

  it('have the rate before in seconds that were missed', () => {
    const history = new SpeedHistory();
    history.note(at(0), rates(5));
    history.note(at(4), rates(9));
    expect([...history.series().down.slice(-5)]).toEqual([5, 5, 5, 5, 9]);
  });

  it('forget what is older, however long it goes on', () => {
    const history = new SpeedHistory();
    for (let second = 0; second < 1_000; second++) history.note(at(second), rates(second));
    const { down } = history.series();
    expect([down[0], down.at(-1)]).toEqual([1_000 - HISTORY_SECONDS, 999]);
  });

  it('begin anew after a long sleep, and when the clock is set back', () => {
    const history = new SpeedHistory();
    history.note(at(1_000), rates(5));
    history.note(at(5_000), rates(6));
    expect(history.series().down.reduce((sum, rate) => sum + rate, 0)).toBe(6);
    history.note(at(10), rates(7));
    expect(history.series().down.reduce((sum, rate) => sum + rate, 0)).toBe(7);
  });

  it('are drawn on a scale that they fit', () => {
    const history = new SpeedHistory();
    expect(scaleTop(history.series())).toBe(64 * 1024);
    history.note(at(0), rates(3_000_000, 5_000_000));
    expect(scaleTop(history.series())).toBe(8 * 1024 * 1024);
  });
});
