import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const MODULE = new URL('../../../../infra/launcher/heap-growth.mjs', import.meta.url).href;

/** What half of the young generation of a fresh process holds, in MiB, once its heaps are kept small, and after much has passed through it. */
function youngHalvesOf(options: string): number[] {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepHeapsSmall } from ${JSON.stringify(MODULE)};
    const young = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    const half = () => Math.round((young().space_used_size + young().space_available_size) / 2 ** 20);
    keepHeapsSmall(${options});
    const before = half();
    const kept = [];
    // The threads of a collection fill pages of their own, beyond the size, until the next one: what grew is never small again.
    let least = Infinity;
    for (let round = 0; round < 2_000; round++) {
      kept.push(Array.from({ length: 1_024 }, (_, at) => ({ at })));
      if (round >= 1_000 && round % 50 === 0) least = Math.min(least, half());
    }
    process.stdout.write(JSON.stringify([before, least, kept.length]));
  `;
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  return (JSON.parse(said) as number[]).slice(0, 2);
}

it('a young generation stays as large as it begins, or as it is asked to be, whatever passes through it', () => {
  expect(youngHalvesOf('')).toEqual([1, 1]);
  expect(youngHalvesOf('{ youngMib: 8 }')).toEqual([4, 4]);
  expect(youngHalvesOf('{ youngMib: 32 }')).toEqual([16, 16]);
});
