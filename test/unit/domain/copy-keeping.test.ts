import { expect, it } from 'vitest';
import {
  DISK_RESERVE_BYTES,
  nextToKeep,
  roomBytesOf,
  type Shortage,
  shortagesOf,
  SPREAD_MS,
  TRUST_MS,
  type WantedFile,
  wantedKey,
} from '#domain/copy-keeping';
import { seeded } from '../../seeded-random.ts';

const GIB = 1024 * 1024 * 1024;

function file(name: string, more: Partial<WantedFile> = {}): WantedFile {
  return {
    ...{ group: 'films', file: name, contentId: `content of ${name}`, totalBytes: 100 },
    ...{ wantedCopies: 3, completeCopies: 1, partialCopies: 0, ...more },
  };
}

/** What a peer that never looked before would fetch at the end of the spread. */
function chosen(files: readonly WantedFile[], roomBytes = 1000): string | null {
  const shortages = shortagesOf(files, new Map(), { nowMs: 0, random: () => 0.5 });
  return nextToKeep(files, { shortages, roomBytes })?.file.file ?? null;
}

it('the rarest file is fetched first, and one of as many copies as are wanted never', () => {
  const files = [file('two', { completeCopies: 2 }), file('one'), file('enough', { completeCopies: 3 })];
  expect(chosen(files)).toBe('one');
  expect(chosen(files.slice(0, 1))).toBe('two');
  expect(chosen(files.slice(2))).toBeNull();
});

it('a file that nobody has whole, that is not wanted, or for which there is no room is not fetched', () => {
  expect(chosen([file('gone', { completeCopies: 0, partialCopies: 1 })])).toBeNull();
  expect(chosen([file('unwanted', { wantedCopies: 0 })])).toBeNull();
  expect(chosen([file('large', { totalBytes: 1001 }), file('small', { completeCopies: 2 })])).toBe('small');
  expect(chosen([file('fits', { totalBytes: 1000 })])).toBe('fits');
});

it('copies that are being fetched count as copies for an hour', () => {
  const files = [file('film', { partialCopies: 2 })];
  const at = (nowMs: number, before: ReadonlyMap<string, Shortage>) =>
    shortagesOf(files, before, { nowMs, random: () => 0 });
  const first = at(0, new Map());
  expect(nextToKeep(files, { shortages: first, roomBytes: 1000 })).toBeNull();
  expect(nextToKeep(files, { shortages: at(TRUST_MS - 1, first), roomBytes: 1000 })).toBeNull();
  expect(nextToKeep(files, { shortages: at(TRUST_MS, first), roomBytes: 1000 })).toMatchObject({
    notBeforeMs: TRUST_MS,
  });
});

it('the moment from which a file is fetched is drawn once, and anew when others stopped fetching it', () => {
  const key = wantedKey(file('film'));
  const draw = (more: Partial<WantedFile>, before: ReadonlyMap<string, Shortage>, chance: number) =>
    shortagesOf([file('film', more)], before, { nowMs: 1000, random: () => chance });
  const first = draw({}, new Map(), 0.25);
  expect(first.get(key)).toEqual({ sinceMs: 1000, notBeforeMs: 1000 + 0.25 * SPREAD_MS });
  expect(draw({}, first, 0.75)).toEqual(first);
  const others = draw({ partialCopies: 2 }, first, 0.75);
  expect(others.get(key)).toEqual({ sinceMs: 1000, notBeforeMs: null });
  expect(draw({}, others, 0.75).get(key)?.notBeforeMs).toBe(1000 + 0.75 * SPREAD_MS);
  const missed = new Map([[key, { sinceMs: 0, notBeforeMs: -2000 }]]);
  expect(draw({}, missed, 0.5).get(key)).toEqual({ sinceMs: 0, notBeforeMs: 1000 + 0.5 * SPREAD_MS });
});

it('room is what the limit leaves, and what the disk leaves beside what is still to come and a reserve', () => {
  const store = { limitBytes: 10 * GIB, keptBytes: 4 * GIB, freeBytes: 100 * GIB, pendingBytes: 0 };
  expect(roomBytesOf(store)).toBe(6 * GIB);
  expect(roomBytesOf({ ...store, freeBytes: 5 * GIB, pendingBytes: GIB })).toBe(4 * GIB - DISK_RESERVE_BYTES);
  expect(roomBytesOf({ ...store, keptBytes: 11 * GIB })).toBe(0);
  expect(roomBytesOf({ ...store, freeBytes: 0 })).toBe(0);
});

/** Peers that keep copies, on a simulated clock: what one has begun the others see a moment later. */
function play({ peerCount, files, wanted, seed }: { peerCount: number; files: number; wanted: number; seed: number }) {
  const [SEEN_MS, FETCH_MS, LOOK_MS] = [300, 20_000, 30_000];
  const random = seeded(seed);
  const names = Array.from({ length: files }, (_, number) => `file ${number}`);
  const fetches: { peer: number; name: string; beganMs: number }[] = [];
  const peers = Array.from({ length: peerCount }, () => ({
    shortages: new Map() as ReadonlyMap<string, Shortage>,
    lookMs: 0,
  }));
  const seen = (name: string, nowMs: number): WantedFile => {
    const begun = fetches.filter((fetch) => fetch.name === name && fetch.beganMs + SEEN_MS <= nowMs);
    const completeCount = begun.filter(({ beganMs }) => beganMs + FETCH_MS <= nowMs).length;
    return file(name, {
      ...{ wantedCopies: wanted, completeCopies: 1 + completeCount, partialCopies: begun.length - completeCount },
    });
  };
  for (let nowMs = 0; nowMs < 600_000; nowMs += 50) {
    for (const [number, peer] of peers.entries()) {
      const own = fetches.filter((fetch) => fetch.peer === number);
      if (peer.lookMs > nowMs || own.some(({ beganMs }) => beganMs + FETCH_MS > nowMs)) continue;
      const lacking = names
        .filter((name) => !own.some((fetch) => fetch.name === name))
        .map((name) => seen(name, nowMs));
      peer.shortages = shortagesOf(lacking, peer.shortages, { nowMs, random });
      const next = nextToKeep(lacking, { shortages: peer.shortages, roomBytes: 1000 });
      peer.lookMs = next?.notBeforeMs ?? nowMs + LOOK_MS;
      if (next !== null && next.notBeforeMs <= nowMs)
        fetches.push({ peer: number, name: next.file.file, beganMs: nowMs });
    }
  }
  return names.map((name) => 1 + fetches.filter((fetch) => fetch.name === name).length);
}

it('ten peers that see one shortage at once do not all fetch: over many runs, hardly a copy too many', () => {
  const runs = Array.from({ length: 40 }, (_, seed) => play({ peerCount: 10, files: 1, wanted: 3, seed })[0]!);
  expect(Math.min(...runs)).toBe(3);
  expect(Math.max(...runs)).toBeLessThanOrEqual(6);
  expect(runs.reduce((sum, copies) => sum + copies - 3, 0) / runs.length).toBeLessThan(0.75);
});

it('ten peers and ten files: every file gets its copies', () => {
  for (let seed = 0; seed < 5; seed++) {
    const copies = play({ peerCount: 10, files: 10, wanted: 3, seed });
    expect(Math.min(...copies)).toBeGreaterThanOrEqual(3);
    expect(Math.max(...copies)).toBeLessThanOrEqual(6);
  }
});
