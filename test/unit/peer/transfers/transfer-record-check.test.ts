import { expect, test } from 'vitest';
import { isTransferRecord } from '../../../../apps/peer/src/transfers/transfer-record-check.ts';

const share = {
  ...{ groupId: 1, shareId: 2, contentId: 'ab'.repeat(32), hash: 'sha1' },
  ...{ totalBytes: 3, pieceBytes: 524_288, pieceCount: 1 },
};
const facts = {
  ...{ transferId: 't', commandId: 'c', logId: null, user: 'alice', group: 'g', file: 'f', path: '/f', startedAtMs: 1 },
  ...{ completedAtMs: null, offset: null, reason: null, share, sha1: null, stamp: null },
};
const upload = {
  ...facts,
  ...{ direction: 'upload', command: 'upload_file', hash: 'sha1', pieceBytes: null, expectedContentId: null },
  state: 'seeding',
};
const download = {
  ...facts,
  ...{ direction: 'download', strategy: 'random', overwrite: false, seedCommandId: 's', isRecorded: false },
  ...{ isServed: false, verifiedBytes: 0, bitfield: '', peers: [], state: 'paused' },
};

const reason = { code: 'disk_full', detail: 'no room', action: 'make room' };
const reasonSince = { code: 'disk_full', atMs: 2, verifiedBytes: 0 };
const recheck = {
  ...{ startedAt: '2026-11-01T00:00:00.000Z', endedAt: null, verdict: null, checkedPieces: 1, damagedPieces: 0 },
  ...{ repairedPieces: 0, absentFiles: [], misfitFiles: ['f'], treeDifferences: [], sha1Mismatches: [] },
};
const peer = {
  ...{ peerId: 'p', user: 'bob', address: '127.0.0.1:1', state: 'active', deliveredBytes: 3, corruptPieces: 0 },
};
const eventful = {
  ...{ ...download, reason, reasonSince, recheck, damage: { soundBytes: 0, bitfield: '' }, peers: [peer] },
  ...{ selection: { only: ['*.md'], priorities: [] }, wantedBytes: 3, version: 2, reusedBytes: 1 },
};

test.each([
  ...[upload, { ...upload, share: null, state: 'hashing' }, { ...upload, exclude: ['*.tmp'], replaces: 1 }],
  ...[download, eventful, { ...download, recheck: { ...recheck, treeDifferences: undefined } }],
])('a record of a transfer is one', (record) => expect(isTransferRecord(record)).toBe(true));

test.each([upload, download])('a record without one of its fields is none', (record) => {
  for (const field of Object.keys(record)) {
    expect(isTransferRecord({ ...record, [field]: undefined }), field).toBe(false);
  }
});

test.each([
  ['a direction that there is not', { ...upload, direction: 'sideways' }],
  ['a download of nothing', { ...download, share: null }],
  ['a beginning that is no time', { ...upload, startedAtMs: 1e300 }],
  ['an end that is no time', { ...download, completedAtMs: -1e17 }],
  ['half a share', { ...upload, share: { ...share, pieceCount: undefined } }],
  ['a share of half a version', { ...download, share: { ...share, version: 1.5 } }],
  ['a reason without words', { ...download, reason: [null] }],
  ['a reason since no time', { ...download, reasonSince: { ...reasonSince, atMs: 1e300 } }],
  ['half a recheck', { ...download, recheck: { ...recheck, checkedPieces: undefined } }],
  ['a recheck whose files have no names', { ...download, recheck: { ...recheck, misfitFiles: [7] } }],
  ['damage without what is sound', { ...download, damage: {} }],
  ['a peer that is none', { ...download, peers: [null] }],
  ['peers that are no list', { ...download, peers: {} }],
  ['globs that are none', { ...upload, exclude: { 0: '*' } }],
  ['a selection that is none', { ...download, selection: { only: 7, priorities: [] } }],
  ['half a version', { ...upload, replaces: 0.5 }],
  ['no object', null],
])('%s is no record of a transfer', (_what, record) => expect(isTransferRecord(record)).toBe(false));
