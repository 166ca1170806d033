import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeLogRecord, encodeLogRecord, type SignedLogRecord } from '#wire/log-record';

const RECORD: SignedLogRecord = {
  id: '00000000-0000-4000-8000-000000000001',
  trackerId: 'a'.repeat(64),
  timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  actor: { kind: 'peer', peerId: 'b'.repeat(64), user: 'alice' },
  correlationId: 'c1',
  seenOffset: 7,
  schemaVersion: 1,
  command: { name: 'download_file', data: { group: 'g', file: 'f' } },
  signature: null,
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

it('a record is one CloudEvents object with these exact bytes', () => {
  expect(text(encodeLogRecord(RECORD))).toBe(
    `{"specversion":"1.0","id":"${RECORD.id}","source":"/trackers/${'a'.repeat(64)}","type":"cohort.download_file.v1",` +
      `"subject":"g/f","time":"2026-01-02T03:04:05.678Z","peerid":"${'b'.repeat(64)}","actor":"alice","correlationid":"c1",` +
      '"seenoffset":7,"datacontenttype":"application/json","data":{"group":"g","file":"f"}}',
  );
});

it('what is encoded is decoded again', () => {
  const senders: SignedLogRecord['actor'][] = [
    RECORD.actor,
    { kind: 'peer', peerId: 'b'.repeat(64), user: null },
    { kind: 'tracker', trackerId: RECORD.trackerId },
  ];
  for (const actor of senders) {
    const record = { ...RECORD, actor, signature: actor.kind === 'tracker' ? 'c2ln' : null };
    expect(decodeLogRecord(encodeLogRecord(record))).toEqual(record);
  }
});

it('a record of any length is encoded whole, and stays as it was', () => {
  const short = encodeLogRecord(RECORD);
  for (const length of [65_000, 70_000, 200_000]) {
    const record = { ...RECORD, correlationId: `${'ä日'.repeat(length / 2)}end` };
    expect(decodeLogRecord(encodeLogRecord(record))).toEqual(record);
  }
  expect(decodeLogRecord(short)).toEqual(RECORD);
});

it('each record is of the tracker that its own source names', () => {
  const other = { ...RECORD, trackerId: 'd'.repeat(64) };
  for (const record of [RECORD, other, other, RECORD]) expect(decodeLogRecord(encodeLogRecord(record))).toEqual(record);
});

it('a record cut anywhere is none', () => {
  const bytes = encodeLogRecord(RECORD);
  for (let length = 0; length < bytes.length; length++) expect(decodeLogRecord(bytes.subarray(0, length))).toBeNull();
});

it.each([
  ['specversion', '2.0'],
  ['id', 'x'],
  ['source', ''],
  ['source', null],
  ['source', '/trackers/zz'],
  ['type', 'cohort.unheard_of.v1'],
  ['type', 'cohort.login.v0'],
  ['time', 'yesterday'],
  ['time', '2026-13-02T03:04:05.678Z'],
  ['peerid', 'b'],
  ['actor', 7],
  ['seenoffset', 1.5],
])('a record with %s %j is none', (attribute, value) => {
  const changed = { ...JSON.parse(text(encodeLogRecord(RECORD))), [attribute]: value };
  expect(decodeLogRecord(Buffer.from(JSON.stringify(changed)))).toBeNull();
});

it('an actor without a peer is none', () => {
  const { peerid: _, ...rest } = JSON.parse(text(encodeLogRecord(RECORD))) as Record<string, unknown>;
  expect(decodeLogRecord(Buffer.from(JSON.stringify(rest)))).toBeNull();
});

it('any bytes decode to a record or to none, and never throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeLogRecord(bytes)));
  fc.assert(fc.property(fc.json(), (json) => void decodeLogRecord(Buffer.from(json))));
});
