import { describe, expect, it } from 'vitest';
import { castText, shownOutputs } from '../../../../infra/pictures/cast.ts';
import { sessionSvg } from '../../../../infra/pictures/session-svg.ts';

const cast = {
  columns: 20,
  rows: 4,
  title: 'a < b',
  pauseSecondsMax: 1,
  outputs: [
    { atSeconds: 0, text: '$ ' },
    { atSeconds: 0.5, text: 'ls <x>\r\n' },
    { atSeconds: 9, text: '50 %\r' },
    { atSeconds: 9.5, text: '100 %\r\n' },
  ],
};

describe('a recording', () => {
  it('is a header and a line for each output, as players read it', () => {
    const [header, ...lines] = castText(cast)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(header).toEqual({ version: 2, width: 20, height: 4, title: 'a < b', idle_time_limit: 1 });
    expect(lines).toEqual(cast.outputs.map(({ atSeconds, text }) => [atSeconds, 'o', text]));
  });

  it('shows no pause that is longer than it says', () => {
    expect(shownOutputs(cast).map(({ atSeconds }) => atSeconds)).toEqual([0, 0.5, 1.5, 2]);
  });
});

describe('its picture', () => {
  const picture = sessionSvg(cast);

  it('shows at rest what is there at the end, and hides what is written over', () => {
    const groups = [...picture.matchAll(/<g( visibility="hidden")?>(?:<animate [^>]*>)?((?:<text.*<\/text>)+)<\/g>/g)];
    const shown = groups.map(([, hidden, texts]) => [hidden === undefined, texts!.replaceAll(/<[^>]*>/g, '')]);
    expect(shown).toEqual(
      expect.arrayContaining([
        [true, '$ ls &lt;x&gt;'],
        [false, '50 %'],
        [true, '100 %'],
      ]),
    );
  });

  it('runs no script, loads nothing, and is well formed', () => {
    expect(picture).not.toMatch(/<script|href|url\(|on[a-z]+=/);
    const open: string[] = [];
    for (const [, closing, name, selfClosing] of picture.matchAll(/<(\/?)([a-zA-Z]+)[^>]*?(\/?)>/g)) {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (selfClosing === '') open.push(name!);
    }
    expect(open).toEqual([]);
  });

  it('has moments in their order, the first at the beginning', () => {
    const times = [...picture.matchAll(/keyTimes="([^"]*)"/g)].map(([, list]) => list!.split(';').map(Number));
    expect(times.length).toBeGreaterThan(4);
    for (const list of times) {
      expect(list[0]).toBe(0);
      expect(list).toEqual(list.toSorted((one, other) => one - other));
      expect(list.at(-1)).toBeLessThanOrEqual(1);
    }
  });
});
