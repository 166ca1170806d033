import { expect, it } from 'vitest';
import { AccessHistory } from '../../../../apps/tracker/src/audit/access.ts';
import { replayOfGroup } from '../../../../apps/tracker/src/audit/replay.ts';
import { randomRecords } from '../random-log.ts';
import { compareAccess } from './access-model.ts';
import { sourceOf } from './sources.ts';

const GROUP = 'g';
const FILE = 'a';

it.each([false, true])(
  'is told as a naive model has it, at every offset of many logs, with versions: %s',
  async (hasVersions) => {
    const compared = await Promise.all(
      [...Array(20).keys()].map((seed) => compareAccess(randomRecords(seed, 500, { isTruthful: true, hasVersions }))),
    );
    expect(compared.flatMap(({ disagreement }) => disagreement ?? [])).toEqual([]);
    expect(compared.filter(({ rights, fetches }) => rights > 0 && fetches > 0).length).toBeGreaterThan(
      hasVersions ? 10 : 15,
    );
  },
);

it('a right begins and ends with the records that gave and took it, and a fetch is told', async () => {
  const [begins, ends, fetches] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (let seed = 0; seed < 40; seed++) {
    const history = new AccessHistory(GROUP, FILE);
    const commands: string[] = [];
    await replayOfGroup(sourceOf(randomRecords(seed, 500, { isTruthful: true })), GROUP, {
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
