import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyIndex,
  type FileColumn,
  type FileIndex,
  inOrder,
  matching,
  orderAfterClick,
  withChanges,
  withFiles,
} from '../../../apps/peer/web/src/files/file-index.ts';
import type { FileItem } from '#wire/control-api';

function fileOf(file: string, about: Partial<FileItem> = {}): FileItem {
  return {
    ...{ file, contentId: 'c', sharedBy: 'alice', sharedAt: '2026-11-28T08:00:00.000Z', totalBytes: 10 },
    ...{
      pieceBytes: 524_288,
      pieceCount: 1,
      version: 1,
      seedersOnline: 1,
      completeCopies: 1,
      partialCopies: 0,
      wantedCopies: 0,
    },
    ...about,
  };
}

function namesOf({ rows }: Pick<FileIndex, 'rows'>): string[] {
  return rows.map(({ item }) => item.file);
}

const COLUMNS: readonly FileColumn[] = ['file', 'totalBytes', 'sharedBy', 'sharedAt', 'version', 'completeCopies'];
const anyFile = fc
  .record({
    file: fc.oneof(
      fc.string({ minLength: 1, maxLength: 6 }),
      fc.nat(30).map((number) => `part ${number}`),
    ),
    totalBytes: fc.nat(3),
    sharedBy: fc.constantFrom('alice', 'bob'),
    version: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ file, ...about }) => fileOf(file, about));
const anyOrder = fc.record({ column: fc.constantFrom(...COLUMNS), isDescending: fc.boolean() });

describe('the index of files', () => {
  it('is the same whether files come at once or page by page, in whatever order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyFile, { selector: ({ file }) => file }),
        fc.nat(20),
        anyOrder,
        (files, cut, order) => {
          const atOnce = inOrder(withFiles(emptyIndex(), files), order);
          const inParts = withFiles(withFiles(emptyIndex(order), files.slice(cut)), files.slice(0, cut));
          expect(namesOf(inParts)).toEqual(namesOf(atOnce));
        },
      ),
    );
  });

  it('sorts numbers in names by their value, and capitals like small letters', () => {
    const files = ['part 10', 'Part 9', 'part 1', 'alpha', 'part 09b'].map((file) => fileOf(file));
    expect(namesOf(withFiles(emptyIndex(), files))).toEqual(['alpha', 'part 1', 'Part 9', 'part 09b', 'part 10']);
  });

  it('sorts files that are equal in the column by name, also when it is turned round', () => {
    const files = ['b', 'a', 'c'].map((file) => fileOf(file));
    const index = withFiles(emptyIndex({ column: 'totalBytes', isDescending: true }), [
      ...files,
      fileOf('big', { totalBytes: 99 }),
    ]);
    expect(namesOf(index)).toEqual(['big', 'a', 'b', 'c']);
  });

  it('keeps the very rows of what did not change', () => {
    const index = withFiles(emptyIndex(), [fileOf('a'), fileOf('b')]);
    const next = withChanges(index, { items: [fileOf('b', { completeCopies: 5 })], removed: [] });
    expect(next.rows[0]).toBe(index.rows[0]);
    expect(next.rows[1]?.item.completeCopies).toBe(5);
  });

  it('shows the newest version that is left', () => {
    const index = withFiles(emptyIndex(), [fileOf('a', { version: 3 }), fileOf('b')]);
    const older = withChanges(index, { items: [fileOf('a', { version: 2, completeCopies: 7 })], removed: [] });
    expect(older.rows[0]?.item).toMatchObject({ version: 3, completeCopies: 1 });
    const replaced = withChanges(index, { items: [fileOf('a', { version: 2 })], removed: [{ file: 'a', version: 3 }] });
    expect(replaced.rows[0]?.item.version).toBe(2);
    expect(namesOf(withChanges(index, { items: [], removed: [{ file: 'a', version: 2 }] }))).toEqual(['a', 'b']);
    expect(namesOf(withChanges(index, { items: [], removed: [{ file: 'a', version: 3 }] }))).toEqual(['b']);
    const both = [3, 2].map((version) => ({ file: 'a', version }));
    const left = withChanges(index, { items: [fileOf('a', { version: 1 })], removed: both });
    expect(left.rows.find(({ item }) => item.file === 'a')?.item.version).toBe(1);
  });

  it('finds files in whose name or sharer every word stands, in capitals or not', () => {
    const index = withFiles(emptyIndex(), [fileOf('Summer Film.mkv'), fileOf('winter.mkv', { sharedBy: 'Bob' })]);
    const found = (search: string): string[] => namesOf({ rows: matching(index, search) });
    expect([found('film SUMMER'), found('bob mkv'), found('film winter'), found('  ')]).toEqual([
      ['Summer Film.mkv'],
      ['winter.mkv'],
      [],
      ['Summer Film.mkv', 'winter.mkv'],
    ]);
  });

  it('begins with the greatest number, and turns round at the second click', () => {
    const byName = { column: 'file', isDescending: false } as const;
    const bySize = orderAfterClick(byName, 'totalBytes');
    expect([bySize.isDescending, orderAfterClick(bySize, 'totalBytes').isDescending]).toEqual([true, false]);
    expect(orderAfterClick(byName, 'sharedBy').isDescending).toBe(false);
  });
});
