// Facts about what a peer fetches for its groups by itself, on a clock that a test turns: which files there are, and what becomes of
// what it begins, is played.
import 'reflect-metadata';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { SPREAD_MS } from '#domain/copy-keeping';
import type { FileItem, GroupItem, TransferView } from '#wire/control-api';
import type { Refused } from '#wire/tracker-api';
import { CopyKeeping } from '../../../../apps/peer/src/keeping/copy-keeping.ts';
import type { TransferEvent } from '../../../../apps/peer/src/transfers/transfers.ts';
import { RecordedLink, RecordedTransfers } from '../control/recorded-ports.ts';

const MINUTE_MS = 60_000;
const CONTENT_ID = 'ab'.repeat(32);
const EXISTS: Refused = { status: 'failed', code: 'destination_exists' };
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A clock that stands still until it is turned to the next moment for which something is due. */
class TurnedClock {
  nowMs = 0;
  #due: { readonly atMs: number; readonly act: () => void } | null = null;
  #told = Promise.withResolvers<void>();

  readonly later = (waitMs: number, act: () => void): (() => void) => {
    const due = { atMs: this.nowMs + waitMs, act };
    this.#due = due;
    this.#told.resolve();
    return () => (this.#due = this.#due === due ? null : this.#due);
  };

  /** Does what is due next, once it is known when the one after it is. */
  async turn(): Promise<void> {
    const due = this.#due;
    if (due === null) throw new Error('nothing is due');
    this.#due = null;
    this.#told = Promise.withResolvers();
    this.nowMs = due.atMs;
    due.act();
    await this.#told.promise;
  }

  /** Does all that is due within this time. */
  async turnTo(nowMs: number): Promise<void> {
    while (this.#due !== null && this.#due.atMs <= nowMs) await this.turn();
    this.nowMs = nowMs;
  }
}

function fileItem(file: string, about: Partial<FileItem> = {}): FileItem {
  return {
    ...{
      file,
      contentId: CONTENT_ID,
      sharedBy: 'alice',
      sharedAt: '',
      totalBytes: 1_000,
      pieceBytes: 1,
      pieceCount: 1,
    },
    ...{ seedersOnline: 1, completeCopies: 1, partialCopies: 0, wantedCopies: 3 },
    ...about,
  } as FileItem;
}

function transferAt(path: string, about: Partial<TransferView> = {}): TransferView {
  const named = { transferId: path, group: 'films', file: 'film', contentId: CONTENT_ID, path };
  return {
    ...named,
    direction: 'download',
    state: 'complete',
    served: true,
    totalBytes: 1_000,
    verifiedBytes: 1_000,
    ...about,
  } as never;
}

/** A peer of bob, whose group wants three copies of these files. */
async function startKeeping(...files: FileItem[]) {
  const folder = mkdtempSync(join(tmpdir(), 'cohort-keeping-'));
  folders.push(folder);
  const [clock, link, transfers] = [new TurnedClock(), new RecordedLink(), new RecordedTransfers()];
  const page = <Item>(items: Item[]) => ({ status: 'accepted', asOfOffset: 1, view: { items, next: null } }) as const;
  Object.assign(link, {
    listGroups: async () => page([{ group: 'films', owner: 'alice', membership: 'member', copies: 3 } as GroupItem]),
    listFiles: async () => page(files),
  });
  const asked: string[] = [];
  const warnings: string[] = [];
  const answers: Record<'download' | 'seed' | 'recheck', Refused | null> = {
    download: null,
    seed: null,
    recheck: null,
  };
  let tell: (event: TransferEvent) => void = () => {};
  const played = {
    download: async (body: { file: string; destination: string }) => {
      asked.push(`download ${body.file} to ${body.destination.slice(folder.length)}`);
      return (
        answers.download ??
        begin(transferAt(join(body.destination, body.file), { file: body.file, state: 'downloading' }))
      );
    },
    seed: async (body: { file: string; path: string }) => {
      asked.push(`seed ${body.file} at ${body.path.slice(folder.length)}`);
      return answers.seed ?? begin(transferAt(body.path, { file: body.file, direction: 'upload', state: 'seeding' }));
    },
    recheck: async (transferId: string, body: object) => {
      asked.push(`recheck ${transferId.slice(folder.length)} ${JSON.stringify(body)}`);
      return answers.recheck ?? { status: 'running', transfer: transfers.views[0] };
    },
    onEvent: (listener: typeof tell) => {
      tell = listener;
      return () => undefined;
    },
  };
  const begin = (view: TransferView) => {
    transfers.views.push(view);
    return { status: 'started', transferId: view.transferId, offset: 1, result: {} } as const;
  };
  Object.assign(transfers, played);
  const keeping = await CopyKeeping.open({
    ...{ folder, limitBytes: 10_000, link, transfers, now: () => clock.nowMs, random: () => 0.5, later: clock.later },
    warn: (text) => void warnings.push(text),
  });
  keeping.start();
  return {
    keeping,
    clock,
    link,
    transfers,
    asked,
    warnings,
    answers,
    folder,
    tell: (event: TransferEvent) => tell(event),
  };
}

const PLACE = `/films/${CONTENT_ID.slice(0, 12)}`;

it('what lacks a copy is fetched when its moment has come, the rarest first and one at a time', async () => {
  const [common, enough] = ['cd'.repeat(32), 'ef'.repeat(32)];
  const { keeping, clock, asked, transfers, folder, tell } = await startKeeping(
    fileItem('common', { seedersOnline: 2, contentId: common }),
    fileItem('enough', { seedersOnline: 3, contentId: enough }),
    fileItem('film'),
  );
  await clock.turnTo(1_000 + SPREAD_MS / 2 - 1);
  expect(asked).toEqual([]);
  await clock.turnTo(MINUTE_MS);
  expect(asked).toEqual([`download film to ${PLACE}`]);
  expect(readdirSync(join(folder, 'films'))).toEqual([CONTENT_ID.slice(0, 12)]);
  expect(keeping.view()).toMatchObject({ copyCount: 1, keptBytes: 1_000, limitBytes: 10_000 });
  transfers.views[0] = { ...transfers.views[0]!, state: 'complete' };
  tell({ type: 'transfer_changed', transfer: transfers.views[0] });
  await clock.turnTo(3 * MINUTE_MS);
  expect(asked.slice(1)).toEqual([`download common to /films/${common.slice(0, 12)}`]);
});

it('what is in its place already is taken for the copy, once it was read, and counts as kept', async () => {
  const { keeping, clock, asked, answers, warnings } = await startKeeping(fileItem('film'));
  answers.download = EXISTS;
  await clock.turnTo(60 * MINUTE_MS);
  expect(asked).toEqual([`download film to ${PLACE}`, `seed film at ${PLACE}/film`]);
  expect(keeping.view()).toMatchObject({ copyCount: 1, keptBytes: 1_000 });
  expect(warnings).toEqual([]);
});

const GONE = { reason: { code: 'source_missing', detail: '', action: '', since: '' } } as const;

it.each([
  { what: 'was fetched', about: { ...GONE, state: 'complete' } },
  { what: 'was there before', about: { ...GONE, state: 'failed', direction: 'upload' } },
] as const)(
  'a kept copy that $what and is gone is fetched again as itself, in the room that it had',
  async ({ about }) => {
    const { clock, asked, transfers, folder, warnings } = await startKeeping(fileItem('film', { totalBytes: 10_000 }));
    transfers.views.push(transferAt(join(folder, PLACE, 'film'), { ...about, totalBytes: 10_000 }));
    await clock.turnTo(MINUTE_MS);
    expect(asked).toEqual([`recheck ${PLACE}/film {"repair":true}`]);
    expect(readdirSync(join(folder, 'films'))).toEqual([CONTENT_ID.slice(0, 12)]);
    await clock.turnTo(9 * MINUTE_MS);
    expect(asked).toHaveLength(1);
    await clock.turnTo(12 * MINUTE_MS);
    expect([asked.length, warnings]).toEqual([2, []]);
  },
);

it.each([
  { what: 'fetched when its share was', about: { ...GONE, state: 'complete', served: false } },
  { what: 'refused by the log as a share that was', about: { ...GONE, state: 'failed', direction: 'upload' } },
] as const)('what was $what taken out of its group lies in the folder, and keeps its room', async ({ about }) => {
  const { clock, asked, transfers, folder } = await startKeeping(fileItem('film'));
  const contentId = about.state === 'failed' ? null : 'cd'.repeat(32);
  transfers.views.push(transferAt(join(folder, 'old'), { ...about, file: 'old', contentId, totalBytes: 10_000 }));
  await clock.turnTo(30 * MINUTE_MS);
  expect(asked).toEqual([]);
});

it('what keeps a copy that is gone from being fetched again is told once', async () => {
  const { clock, asked, answers, transfers, folder, warnings } = await startKeeping(fileItem('film'));
  transfers.views.push(transferAt(join(folder, PLACE, 'film'), GONE));
  answers.recheck = { status: 'failed', code: 'not_logged_in' };
  await clock.turnTo(30 * MINUTE_MS);
  expect(asked).toHaveLength(3);
  expect(warnings).toHaveLength(1);
});

it('a copy that is gone from elsewhere, is damaged, or of which others have enough is left to its user', async () => {
  const [enough, damaged] = ['cd'.repeat(32), 'ef'.repeat(32)];
  const { clock, asked, transfers, folder } = await startKeeping(
    fileItem('film'),
    fileItem('enough', { seedersOnline: 3, contentId: enough }),
    fileItem('damaged', { contentId: damaged }),
  );
  transfers.views.push(transferAt('/elsewhere/film', GONE));
  transfers.views.push(transferAt(join(folder, 'enough'), { ...GONE, file: 'enough', contentId: enough }));
  const changed = { reason: { ...GONE.reason, code: 'source_changed' } } as const;
  transfers.views.push(transferAt(join(folder, 'damaged'), { ...changed, file: 'damaged', contentId: damaged }));
  await clock.turnTo(30 * MINUTE_MS);
  expect(asked).toEqual([]);
});

it('something else in its place is read once, told once, and left alone', async () => {
  const { clock, asked, answers, warnings, folder } = await startKeeping(fileItem('film'));
  answers.download = EXISTS;
  const message = 'does not hold the content of this file of the group';
  answers.seed = { status: 'failed', code: 'invalid_request', errors: [{ field: 'path', message }] };
  await clock.turnTo(24 * 60 * MINUTE_MS);
  expect(asked).toHaveLength(2);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(`${join(folder, PLACE, 'film')} is in the way, and cannot be it: move it away.`);
  expect(warnings[0]).toContain(message);
});

it('what trackers could not say of what is in its place is asked again, and what was taken and then removed is fetched', async () => {
  const { clock, asked, answers, warnings, transfers } = await startKeeping(fileItem('film'));
  answers.download = EXISTS;
  answers.seed = { status: 'failed', code: 'tracker_behind' };
  await clock.turnTo(5 * MINUTE_MS);
  expect([asked.length, warnings.length]).toEqual([2, 1]);
  expect(warnings[0]).not.toContain('in the way');
  answers.seed = null;
  await clock.turnTo(12 * MINUTE_MS);
  expect(asked).toHaveLength(4);
  transfers.views.length = 0;
  answers.download = null;
  await clock.turnTo(15 * MINUTE_MS);
  expect(asked.slice(4)).toEqual([`download film to ${PLACE}`]);
});

it('what another transfer of this peer fetches to its place is not read', async () => {
  const { clock, asked, answers, transfers, folder } = await startKeeping(fileItem('film'));
  transfers.views.push(transferAt(join(folder, PLACE, 'film'), { contentId: null, state: 'paused' }));
  answers.download = EXISTS;
  await clock.turnTo(MINUTE_MS);
  expect(asked).toEqual([`download film to ${PLACE}`]);
});

it('what could not be begun is tried again after ten minutes, and told again only when the reason is another', async () => {
  const { clock, asked, answers, warnings } = await startKeeping(fileItem('film'));
  answers.download = { status: 'failed', code: 'transfer_failed', detail: 'The disk is full.' };
  await clock.turnTo(25 * MINUTE_MS);
  expect([asked.length, warnings.length]).toEqual([3, 1]);
  answers.download = { status: 'failed', code: 'transfer_failed', detail: 'Nobody may write there.' };
  await clock.turnTo(36 * MINUTE_MS);
  expect([asked.length, warnings.length]).toEqual([4, 2]);
});

it('what this peer has already, or was told to leave, is not fetched, and what is too large is counted', async () => {
  const { keeping, clock, asked, transfers } = await startKeeping(
    fileItem('film'),
    fileItem('large', { totalBytes: 10_001 }),
  );
  transfers.views.push(transferAt('/elsewhere/film', { state: 'cancelled' }));
  await clock.turnTo(2 * MINUTE_MS);
  expect(asked).toEqual([]);
  expect(keeping.view()).toMatchObject({ withoutRoom: 1, copyCount: 0 });
});

it('without a tracker, or a user, it looks again later, and after its end never', async () => {
  const { keeping, clock, link, asked } = await startKeeping(fileItem('film'));
  link.currentUser = null;
  await clock.turnTo(5 * MINUTE_MS);
  link.currentUser = 'bob';
  const { listFiles } = link;
  link.listFiles = async () => ({ status: 'failed', code: 'tracker_unavailable' }) as never;
  await clock.turnTo(10 * MINUTE_MS);
  expect(asked).toEqual([]);
  link.listFiles = listFiles;
  keeping.close();
  await clock.turnTo(20 * MINUTE_MS);
  expect(asked).toEqual([]);
});
