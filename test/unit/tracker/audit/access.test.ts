import { expect, it } from 'vitest';
import { AccessHistory } from '../../../../apps/tracker/src/audit/access.ts';
import { replay } from '../../../../apps/tracker/src/audit/replay.ts';
import { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import { randomRecords } from '../random-log.ts';
import { sourceOf } from './sources.ts';

const GROUP = 'g';
const FILE = 'a';

/** By offset: who may read the file once that record is applied, looked up in the state itself. */
function readersByOffset(records: ReturnType<typeof randomRecords>): string[][] {
  const derived = new DerivedState();
  return records.map((stored) => {
    derived.apply(stored);
    const group = derived.state.groups.get(GROUP);
    return group?.shares.has(FILE) === true ? [...group.members.keys()].sort() : [];
  });
}

it.each([...Array(40).keys()])(
  'who could read a file is who the state lets, at every offset (log %i)',
  async (seed) => {
    const records = randomRecords(seed, 500, { isTruthful: true });
    const history = new AccessHistory(GROUP, FILE);
    await replay(sourceOf(records), { visit: (audited) => history.note(audited) });
    const naive = readersByOffset(records);
    for (const [offset, readers] of naive.entries()) {
      const { rights } = history.within({ from: offset, to: offset });
      expect(rights.map(({ user }) => user).sort(), `offset ${offset}`).toEqual(readers);
      for (const { from, until } of rights) {
        expect(from.offset).toBeLessThanOrEqual(offset);
        expect(until === null || until.offset > offset).toBe(true);
      }
    }
  },
);

it('a right begins and ends with the records that gave and took it, and a fetch is told', async () => {
  const [begins, ends, fetches] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (let seed = 0; seed < 40; seed++) {
    const history = new AccessHistory(GROUP, FILE);
    const commands: string[] = [];
    await replay(sourceOf(randomRecords(seed, 500, { isTruthful: true })), {
      visit: (audited) => {
        history.note(audited);
        commands.push(audited.record?.command.name ?? 'none');
      },
    });
    for (const { from, until } of history.rights) {
      begins.add(commands[from.offset]!);
      if (until !== null) ends.add(commands[until.offset]!);
      expect(from.command).toBe(commands[from.offset]);
    }
    for (const { offset } of history.fetches) fetches.add(commands[offset]!);
  }
  expect([...begins].sort()).toEqual(['accept_request', 'upload_file']);
  expect([...ends].sort()).toEqual(['leave_group', 'remove_member', 'stop_share']);
  expect([...fetches]).toEqual(['download_file']);
});
