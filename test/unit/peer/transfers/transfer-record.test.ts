import { expect, test } from 'vitest';
import { isTransferRecord } from '../../../../apps/peer/src/transfers/transfer-record.ts';

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

test.each([upload, { ...upload, share: null, state: 'hashing' }, download])('a record of a transfer is one', (record) =>
  expect(isTransferRecord(record)).toBe(true),
);

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
  ['no object', null],
])('%s is no record of a transfer', (_what, record) => expect(isTransferRecord(record)).toBe(false));
