// A naive model of who could read a file and who fetched it: the state after each record and the record itself are looked at, and
// nothing else. `cohort audit access` has to say the same of every offset.
import { versionsOf } from '#domain/share-versions';
import type { StoredRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { AccessHistory } from '../../../../apps/tracker/src/audit/access.ts';
import { replayOfGroup } from '../../../../apps/tracker/src/audit/replay.ts';
import { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import { RANDOM_FILES, RANDOM_GROUPS } from '../random-log.ts';
import { sourceOf } from './sources.ts';

/** One file of one group, as a random log has them. */
interface Asked {
  readonly group: string;
  readonly file: string;
}

const ASKED: readonly Asked[] = RANDOM_GROUPS.flatMap((group) => RANDOM_FILES.map((file) => ({ group, file })));

/** What was compared of one log. */
export interface ComparedAccess {
  /** The first thing about which the two disagree; null when there is none. */
  readonly disagreement: string | null;
  readonly answers: number;
  readonly rights: number;
  readonly fetches: number;
}

/** Asks the audit about every file of a random log at every offset, and the model. */
export async function compareAccess(records: readonly StoredRecord[]): Promise<ComparedAccess> {
  const histories = ASKED.map(({ group, file }) => new AccessHistory(group, file));
  // As it is asked: one group at a time, of which nothing else is known then.
  for (const group of RANDOM_GROUPS) {
    const own = histories.filter((_, index) => ASKED[index]!.group === group);
    await replayOfGroup(sourceOf(records), group, {
      visit: (audited) => own.forEach((history) => history.note(audited)),
    });
  }
  const model = modelOf(records);
  const disagreement = records.flatMap(({ offset }) =>
    histories.flatMap((history, asked) => disagreementAt(offset, { history, held: model[offset]![asked]! }) ?? []),
  );
  const count = (of: (history: AccessHistory) => readonly unknown[]): number =>
    histories.reduce((sum, history) => sum + of(history).length, 0);
  return {
    disagreement: disagreement[0] ?? null,
    answers: records.length * ASKED.length,
    rights: count(({ rights }) => rights),
    fetches: count(({ fetches }) => fetches),
  };
}

/** What holds of one file once the record of one offset is applied. */
interface Held {
  readonly readers: readonly string[];
  /** Whether that record let a peer fetch it. */
  readonly isFetched: boolean;
}

/** By offset, and by what is asked. */
function modelOf(records: readonly StoredRecord[]): readonly Held[][] {
  const derived = new DerivedState();
  return records.map((stored) => {
    const { record, applied } = derived.apply(stored);
    const isFirst = applied.outcome.status === 'accepted' && applied.outcomeOffset === stored.offset;
    const isDownload = isFirst && record?.command.name === 'download_file';
    return ASKED.map(({ group: name, file }) => {
      const group = derived.state.groups.get(name);
      const versions = group === undefined ? [] : versionsOf(group, file);
      const members = [...(group?.members.keys() ?? [])];
      const readers = versions.flatMap(() => members).sort();
      return { readers, isFetched: isDownload && isAbout(record.command.data, { group: name, file }) };
    });
  });
}

function isAbout(data: object, { group, file }: Asked): boolean {
  return 'group' in data && data.group === group && 'file' in data && data.file === file;
}

function disagreementAt(offset: number, { history, held }: { history: AccessHistory; held: Held }): string | null {
  const { rights, fetches } = history.within({ from: offset, to: offset });
  const said = JSON.stringify([rights.map(({ user }) => user).sort(), fetches.map((fetch) => fetch.offset)]);
  const expected = JSON.stringify([held.readers, held.isFetched ? [offset] : []]);
  if (said !== expected) return `at offset ${offset} the audit says ${said}, and the model ${expected}`;
  const wrong = rights.find(({ from, until }) => from.offset > offset || (until !== null && until.offset <= offset));
  return wrong === undefined ? null : `at offset ${offset} a right of ${wrong.user} is told that does not hold there`;
}
