// Owns fuzzing the files of a peer's data directory: `{"file": <which>}` on the first line, what it holds on the others. A bad disk
// costs what a file held: it is put aside, or what it holds is right enough to go on with, and nothing ends the start.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { LimitsBody } from '#wire/control-limits';
import { formatTrackerInfo, parseTrackerInfo } from '#wire/tracker-info';
import { ApiKeys } from '../../../apps/peer/src/control/api-keys.ts';
import { CommandMemory } from '../../../apps/peer/src/control/command-memory.ts';
import { EventJournal } from '../../../apps/peer/src/control/event-journal.ts';
import { LinkMemory } from '../../../apps/peer/src/tracker-link/link-memory.ts';
import { TrackerTrust } from '../../../apps/peer/src/tracker-link/tracker-trust.ts';
import {
  goesOnByItself,
  isOver,
  isReplacedBy,
  type TransferRecord,
  transferView,
} from '../../../apps/peer/src/transfers/transfer-record.ts';
import { TransferStore } from '../../../apps/peer/src/transfers/transfer-store.ts';
import { TRACKER } from '../../granting-tracker.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { scratchFolder } from '../scratch-folder.ts';

const REPORTS = { writeFailed: () => undefined, damaged: () => undefined };
const ID = 'ab'.repeat(32);
const UUID = '00000000-0000-4000-8000-000000000000';
const SHARE = { groupId: 1, shareId: 2, contentId: ID, hash: 'sha1', totalBytes: 10, pieceBytes: 1024, pieceCount: 1 };
const TRANSFER = {
  ...{ transferId: 'x', commandId: UUID, logId: ID, user: 'alice', group: 'films', file: 'a.bin', path: '/tmp/a.bin' },
  ...{ startedAtMs: 1, completedAtMs: 2, offset: 7, state: 'complete', reason: null, share: SHARE, sha1: null },
  stamp: null,
};
const DOWNLOAD = {
  ...{ ...TRANSFER, direction: 'download', strategy: 'random', overwrite: false, seedCommandId: UUID },
  ...{ isRecorded: true, isServed: true, verifiedBytes: 10, bitfield: 'gA==', peers: [] },
};
const PEER = { peerId: ID, user: 'bob', address: '127.0.0.1:9', state: 'active', deliveredBytes: 9, corruptPieces: 0 };
const RECHECK = {
  ...{ startedAt: '2026-01-01T00:00:00.000Z', endedAt: null, verdict: null, checkedPieces: 1, damagedPieces: 1 },
  ...{ repairedPieces: 0, absentFiles: ['a'], misfitFiles: [], treeDifferences: [], sha1Mismatches: [] },
};
/** All that a record may hold. */
const EVENTFUL_DOWNLOAD = {
  ...{ ...DOWNLOAD, peers: [PEER], reason: { code: 'piece_damaged', detail: 'a piece is damaged', action: 'wait' } },
  ...{ reasonSince: { code: 'piece_damaged', atMs: 3, verifiedBytes: 1 }, recheck: RECHECK, sha1Matches: false },
  ...{ damage: { soundBytes: 1, bitfield: 'AA==' }, temporary: true, reusedBytes: 1, wantedBytes: 2, isPartial: true },
  selection: { only: ['*.md'], priorities: [{ path: 'a.md', priority: 'high' }] },
};
const UPLOAD = {
  ...{ ...TRANSFER, direction: 'upload', command: 'upload_file', hash: 'sha1', pieceBytes: null },
  ...{ expectedContentId: null, exclude: ['*.tmp'], replaces: 1 },
};
const LIMITS = {
  ...{ uploadBytesPerSecond: 4096, downloadBytesPerSecond: null, activeTransfers: 3 },
  groups: [{ group: 'films', uploadBytesPerSecond: null, downloadBytesPerSecond: 4096 }],
};
const TRUST = {
  ...{ logId: ID, ids: { '127.0.0.1:9001': TRACKER.trackerId } },
  keys: { [TRACKER.trackerId]: Buffer.from(TRACKER.publicKeyDer).toString('base64') },
};
const COMMAND = { commandId: UUID, scope: 'user alice', command: 'create_group', digest: ID, user: 'alice' };

const folder = scratchFolder();
const path = (name: string): string => join(folder, name);
mkdirSync(path('transfers'));

interface PeerFile {
  readonly name: string;
  /** Opens it as a start does, and takes what a running peer takes from it. */
  readonly use: () => void | Promise<void>;
  readonly samples: readonly unknown[];
}

const FILES: Readonly<Record<string, PeerFile>> = {
  transfer: { name: 'transfers/x.json', use: useTransfers, samples: [DOWNLOAD, EVENTFUL_DOWNLOAD, UPLOAD] },
  limits: { name: 'limits.json', use: useLimits, samples: [LIMITS] },
  link: {
    name: 'link.json',
    use: useLink,
    samples: [{ logId: ID, seenOffset: 7, user: 'alice', userOffset: 3 }],
  },
  trust: { name: 'known-trackers.json', use: useTrust, samples: [TRUST] },
  keys: {
    name: 'api-keys.json',
    use: useKeys,
    samples: [[{ keyId: UUID, name: 'web', scope: 'read', createdAt: '2026-01-01T00:00:00.000Z', keyHash: ID }]],
  },
  events: {
    name: 'events.ndjson',
    use: useEvents,
    samples: [{ id: 1, time: '2026-01-01T00:00:00.000Z', type: 'group_changed', data: { group: 'films' } }],
  },
  commands: {
    name: 'commands.ndjson',
    use: useCommands,
    samples: [COMMAND, { ...COMMAND, outcome: { status: 'accepted', offset: 7, result: {} } }],
  },
};

export const peerFiles: FuzzTarget = {
  name: 'peer-files',
  sources: [
    'libs/identity/src/durable-file.ts',
    'apps/peer/src/transfers/transfer-store.ts',
    'apps/peer/src/transfers/transfer-record.ts',
    'apps/peer/src/transfers/transfer-record-check.ts',
    'apps/peer/src/tracker-link/link-memory.ts',
    'apps/peer/src/tracker-link/tracker-trust.ts',
    'apps/peer/src/control/api-keys.ts',
    'apps/peer/src/control/event-journal.ts',
    'apps/peer/src/control/command-memory.ts',
  ],
  shape: 'json',
  seeds: () => [
    ...Object.entries(FILES).flatMap(([file, { samples }]) => samples.map((sample) => inputOf(file, [sample]))),
    inputOf(
      'events',
      [1, 2, 4].map((id) => ({ id, time: '', type: 'group_changed', data: {} })),
    ),
    inputOf('commands', FILES['commands']!.samples),
  ],
  run: async (input) => {
    const text = Buffer.from(input).toString();
    const end = text.indexOf('\n');
    const which = whichOf(text.slice(0, Math.max(0, end)));
    if (!Object.hasOwn(FILES, which)) return;
    const file = FILES[which]!;
    writeFileSync(path(file.name), text.slice(end + 1));
    await file.use();
    rmSync(path(`${file.name}.damaged`), { force: true });
  },
};

function inputOf(file: string, lines: readonly unknown[]): Uint8Array {
  return Buffer.from([{ file }, ...lines].map((line) => JSON.stringify(line)).join('\n'));
}

function whichOf(line: string): string {
  try {
    return String((JSON.parse(line) as { file?: unknown } | null)?.file);
  } catch {
    return '';
  }
}

async function useTransfers(): Promise<void> {
  const store = await TransferStore.open(folder, REPORTS);
  const records = await store.loadAll();
  for (const record of records) useRecord(record);
}

function useRecord(record: TransferRecord): void {
  const { totalBytes = 0 } = record.share ?? {};
  const about = { reusedBytes: 0, bytesPerSecond: 0, etaSeconds: null, bitfield: '', peers: [], completeCopies: null };
  const progress = { totalBytes, wantedBytes: totalBytes, verifiedBytes: 0, ...about };
  const view = transferView(record, progress, null);
  assert.equal(new Date(view.startedAt).toISOString(), view.startedAt);
  for (const ask of [isOver, goesOnByItself]) assert.equal(typeof ask(record), 'boolean');
  isReplacedBy(record, { ...record });
}

async function useLimits(): Promise<void> {
  const limits = await (await TransferStore.open(folder, REPORTS)).loadLimits();
  if (limits === null) return;
  const { uploadBytesPerSecond, downloadBytesPerSecond, activeTransfers, groups } = limits;
  const rates = { uploadBytesPerSecond, downloadBytesPerSecond, activeTransfers };
  const problems = validateSync(plainToInstance(LimitsBody, { ...rates, groups: [] }));
  assert.deepEqual(problems, [], 'limits that are taken could have been set');
  assert.ok(groups.every(({ group }) => typeof group === 'string'));
}

async function useLink(): Promise<void> {
  const memory = await LinkMemory.open(path('link.json'), REPORTS);
  assert.equal(typeof memory.seenOffset, 'number');
  assert.ok(memory.user === null || typeof memory.user === 'string');
}

async function useTrust(): Promise<void> {
  const parsed = parseTrackerInfo(formatTrackerInfo([{ host: '127.0.0.1', port: 9001, trackerId: null }]));
  assert.ok(parsed.ok);
  const trust = await TrackerTrust.open(parsed.trackers, path('known-trackers.json'), REPORTS);
  trust.admits('127.0.0.1:9001', ID);
  for (const { publicKeyDer } of trust.trust()?.trackers ?? []) {
    createPublicKey({ key: Buffer.from(publicKeyDer), format: 'der', type: 'spki' });
  }
}

async function useKeys(): Promise<void> {
  const options = { dataDirectory: folder, controlToken: 'right', damaged: () => undefined, now: () => 0 };
  const keys = await ApiKeys.open(options);
  keys.list();
  assert.equal(keys.scopeOf('right'), 'admin');
  assert.equal(keys.scopeOf('wrong'), null);
}

function useEvents(): void {
  const journal = new EventJournal(path('events.ndjson'), { now: () => 0, writeFailed: () => undefined });
  const { lastId } = journal;
  journal.append('group_changed', { group: 'a' });
  assert.equal(journal.lastId, lastId + 1, 'ids go on');
  const { events, isGapless } = journal.since(lastId);
  assert.ok(isGapless && events.length === 1, 'what came last is known');
}

function useCommands(): void {
  const memory = new CommandMemory(path('commands.ndjson'), () => undefined);
  const use = { commandId: UUID, command: 'create_group', body: { group: 'a' }, user: 'alice' } as const;
  memory.find(UUID, 'alice');
  const entry = memory.begin(use);
  if (entry !== null) assert.equal(memory.begin(use), entry, 'a command that is repeated is the same');
  assert.ok(readFileSync(path('commands.ndjson')).length > 0);
}
