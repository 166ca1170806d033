import { expect, it, vi } from 'vitest';
import { Figures } from '#metrics/figures';

it('what is counted stands with its labels, and what is read is asked for each time', async () => {
  const figures = new Figures();
  const counter = figures.counter({ name: 'a_total', help: 'As.', labels: ['code'] });
  let value = 1;
  figures.read({ name: 'b', help: 'Bs.', type: 'gauge', read: () => value });
  figures.read({ name: 'c_total', help: 'Cs.', type: 'counter', labels: ['at'], read: () => [[{ at: 'x' }, value]] });
  counter.inc({ code: 'busy' });
  await figures.text();
  value = 3;
  const text = await figures.text();
  expect(text.split('\n').filter((line) => line !== '')).toEqual([
    ...['# HELP a_total As.', '# TYPE a_total counter', 'a_total{code="busy"} 1'],
    ...['# HELP b Bs.', '# TYPE b gauge', 'b 3'],
    ...['# HELP c_total Cs.', '# TYPE c_total counter', 'c_total{at="x"} 3'],
  ]);
});

it('what nobody knows any more is not told', async () => {
  const figures = new Figures();
  let samples: [Record<string, string>, number][] = [[{ folder: 'data' }, 1]];
  figures.read({ name: 'd', help: 'Ds.', type: 'gauge', labels: ['folder'], read: () => Promise.resolve(samples) });
  expect(await figures.text()).toContain('d{folder="data"} 1\n');
  samples = [];
  expect(await figures.text()).not.toMatch(/^d/m);
});

it('a figure that is slow to read is told once to each of two who ask at one time, and keeps its samples meanwhile', async () => {
  const figures = new Figures();
  const reads: ((samples: [Record<string, string>, number][]) => void)[] = [];
  const read = () => new Promise<[Record<string, string>, number][]>((resolve) => void reads.push(resolve));
  figures.read({ name: 'f_total', help: 'Fs.', type: 'counter', read });
  const texts = [figures.text(), figures.text()];
  await vi.waitFor(() => expect(reads).toHaveLength(2));
  for (const answer of reads) answer([[{}, 5]]);
  for (const text of await Promise.all(texts)) expect(text).toContain('f_total 5\n');
});

it('durations are told in buckets', async () => {
  const figures = new Figures();
  const spread = figures.histogram({ name: 'e_seconds', help: 'Es.', buckets: [0.1, 1] });
  for (const seconds of [0.05, 0.5, 5]) spread.observe(seconds);
  const text = await figures.text();
  for (const [le, count] of [
    ['0.1', 1],
    ['1', 2],
    ['+Inf', 3],
  ] as const) {
    expect(text).toContain(`e_seconds_bucket{le="${le}"} ${count}\n`);
  }
});
