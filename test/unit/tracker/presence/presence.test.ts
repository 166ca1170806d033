import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { PRESENCE_EXPIRY_MS } from '#wire/limits';
import { PresenceTable } from '../../../../apps/tracker/src/presence/presence.ts';

let nowMs = 0;
let table: PresenceTable;
/** Peers on which nobody is logged in. */
let strangers: Set<string>;
const share = { shareId: 7, group: 'films', file: 'a.mkv' };
const said = { addresses: ['10.0.0.1:5000'], downloading: [share], transport: 'tls' } as const;

beforeEach(() => {
  nowMs = 1_000;
  strangers = new Set();
  table = newTable();
});

function newTable(): PresenceTable {
  return new PresenceTable({ now: () => nowMs, hasSession: (peerId) => !strangers.has(peerId) });
}

describe('presence', () => {
  it('lasts until 30 s after the last heartbeat', () => {
    table.update('peer', said);
    nowMs += PRESENCE_EXPIRY_MS - 1;
    expect(table.get('peer')).toMatchObject({ peerId: 'peer', addresses: said.addresses });
    table.update('peer', said);
    nowMs += PRESENCE_EXPIRY_MS - 1;
    expect(table.size).toBe(1);
    nowMs += 1;
    expect(table.get('peer')).toBeUndefined();
    expect(table.downloadersOf(share)).toEqual([]);
    expect([...table.downloads()]).toEqual([]);
  });

  it('of one peer does not keep that of another', () => {
    table.update('first', said);
    nowMs += 20_000;
    table.update('second', said);
    nowMs += 10_000;
    expect(table.downloadersOf(share)).toEqual(['second']);
  });

  it('is news when it is the first, after a silence, or says something else', () => {
    expect(table.update('peer', said)).toBe(true);
    expect(table.update('peer', said)).toBe(false);
    expect(table.update('peer', { ...said, downloading: [] })).toBe(true);
    expect(table.update('peer', { ...said, downloading: [], addresses: ['10.0.0.2:5000'] })).toBe(true);
    nowMs += PRESENCE_EXPIRY_MS;
    expect(table.update('peer', { ...said, downloading: [], addresses: ['10.0.0.2:5000'] })).toBe(true);
  });

  it('that says otherwise what cannot be served is news, and what it says ends with it', () => {
    expect(table.serves('peer', 7)).toBe(false);
    table.update('peer', said);
    expect(table.serves('peer', 7)).toBe(true);
    expect(table.update('peer', { ...said, unserved: [7, 9] })).toBe(true);
    expect(table.update('peer', { ...said, unserved: [7, 9] })).toBe(false);
    expect([6, 7, 8, 9, 10].filter((shareId) => table.serves('peer', shareId))).toEqual([6, 10]);
    expect(table.update('peer', said)).toBe(true);
    expect(table.serves('peer', 7)).toBe(true);
    nowMs += PRESENCE_EXPIRY_MS;
    expect(table.serves('peer', 7)).toBe(false);
  });

  it('finds a share in the runs that cannot be served as one that looks at each does', () => {
    const gaps = fc.array(fc.nat(3), { maxLength: 24 });
    fc.assert(
      fc.property(gaps, fc.nat(60), (steps, shareId) => {
        let at = 0;
        const ids = steps.map((step, index) => (at += step + (index % 2 === 0 ? 1 : 0)));
        const unserved = ids.slice(0, ids.length - (ids.length % 2));
        table.update('peer', { ...said, unserved });
        const isIn = unserved.some(
          (first, index) => index % 2 === 0 && first <= shareId && shareId <= unserved[index + 1]!,
        );
        expect(table.serves('peer', shareId)).toBe(!isIn);
      }),
    );
  });

  it('that no longer names a share takes the peer from its downloaders', () => {
    table.update('peer', said);
    table.update('peer', { ...said, downloading: [] });
    expect(table.downloadersOf(share)).toEqual([]);
  });

  it('with a false name for a share does not hide who has it', () => {
    table.update('liar', { ...said, downloading: [{ ...share, file: 'other' }] });
    table.update('peer', said);
    expect(table.downloadersOf(share)).toEqual(['peer']);
  });

  it('is there for as long as a plain list of last heartbeats says', () => {
    const step = fc.record({ peer: fc.nat(3), waitMs: fc.constantFrom(0, 1, 9_999, 10_001, 29_999, 30_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        table = newTable();
        const lastSeenMs = new Map<string, number>();
        for (const { peer, waitMs } of steps) {
          table.update(`${peer}`, said);
          lastSeenMs.set(`${peer}`, nowMs);
          nowMs += waitMs;
          const isOnline = (name: string): boolean => nowMs - lastSeenMs.get(name)! < PRESENCE_EXPIRY_MS;
          const online = [...lastSeenMs.keys()].filter(isOnline).sort();
          expect(table.downloadersOf(share)).toEqual(online);
          expect(table.size).toBe(online.length);
        }
      }),
    );
  });

  it('is kept of 25,000 peers, those that were heard of last', () => {
    for (let number = 0; number < 25_000; number++) table.update(`${number}`, { ...said, downloading: [] });
    table.update('0', said);
    table.update('1', said);
    for (const number of [25_000, 25_001, 25_002]) table.update(`${number}`, said);
    expect(table.size).toBe(25_000);
    expect(['2', '3', '4'].map((peerId) => table.get(peerId))).toEqual([undefined, undefined, undefined]);
    expect(table.downloadersOf(share)).toEqual(['0', '1', '25000', '25001', '25002']);
  });

  it('of strangers makes room for others, and never takes the place of somebody who is logged in', () => {
    strangers = new Set(['stranger', 'newcomer', 'other']);
    table.update('stranger', { ...said, downloading: [] });
    table.update('newcomer', { ...said, downloading: [] });
    for (let number = 0; number < 24_998; number++) table.update(`${number}`, { ...said, downloading: [] });
    strangers.delete('newcomer');
    expect(table.update('user', said)).toBe(true);
    expect(table.get('stranger')).toBeUndefined();
    expect(table.update('other', said)).toBe(false);
    expect(['other', 'newcomer', '0', 'user'].map((peerId) => table.get(peerId)?.peerId)).toEqual([
      undefined,
      'newcomer',
      '0',
      'user',
    ]);
    expect(table.size).toBe(25_000);
  });
});
