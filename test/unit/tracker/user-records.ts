// Commands of peers as a tracker stamps them, and how they come into a log without one.
import { randomUUID } from 'node:crypto';
import { encodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import { COMMITMENT, peerOf } from '../domain/log-of.ts';
import type { MemoryLog } from './memory-log.ts';

/** The `create_user` of a peer of its own. */
export function newUserRecord(user: string, trackerId: string): SignedLogRecord {
  return {
    id: randomUUID(),
    trackerId,
    timeMs: Date.now(),
    actor: { kind: 'peer', peerId: peerOf(user), user: null },
    correlationId: 'test',
    seenOffset: -1,
    schemaVersion: 1,
    command: { name: 'create_user', data: { user, commitment: COMMITMENT } },
    signature: null,
  };
}

/** Writes records into a log as another process would; their offsets. */
export function appended(log: MemoryLog, ...records: readonly SignedLogRecord[]): Promise<readonly number[]> {
  return log.append(records.map((record) => ({ value: encodeLogRecord(record), sealed: null })));
}
