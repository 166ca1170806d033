// Owns what the scripts that make golden logs share: a log that grows record by record, stamped like a tracker's, signed with the
// published keys of RFC 8032, 7.1, and written once.
import { writeFile } from 'node:fs/promises';
import type { Command } from '#domain/command';
import type { Actor } from '#domain/record';
import type { Identity } from '#identity/identity';
import { encodeLogRecord, type SignedLogRecord } from '#wire/log-record';
import { signedTrackerRecord } from '../../apps/tracker/src/replica/record-signature.ts';
import { peerOf } from '../unit/domain/log-of.ts';
import { identityOfSecret } from '../unit/tracker/new-identity.ts';
import { goldenFiles, replayed } from './golden-log.ts';

export const one = identityOfSecret('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
export const two = identityOfSecret('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
export const stranger = identityOfSecret('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7');

interface About {
  readonly id?: string;
  readonly schemaVersion?: number;
  readonly seenOffset?: number;
}

export class GoldenLog {
  readonly records: string[] = [];
  #waitedMs = 0;

  /** Lets time pass until the next record. */
  wait(durationMs: number): void {
    this.#waitedMs += durationMs;
  }

  get state() {
    return replayed(this.records).derived.state;
  }

  /** A command of a user's peer, with its session if there is one; the offset. */
  as(user: string, command: Command, about: About = {}): number {
    const peerId = peerOf(user);
    const actor: Actor = { kind: 'peer', peerId, user: this.state.sessions.get(peerId)?.user ?? null };
    return this.append({ ...this.#stamps(), ...about, trackerId: one.id, actor, command, signature: null });
  }

  /** A command that a tracker signs. */
  by(identity: Identity, command: Command): number {
    const { id, timeMs, seenOffset } = this.#stamps();
    return this.append(signedTrackerRecord(identity, { id, timeMs, seenOffset, command }));
  }

  append(record: SignedLogRecord): number {
    return this.text(Buffer.from(encodeLogRecord(record)).toString());
  }

  text(text: string): number {
    return this.records.push(text) - 1;
  }

  #stamps() {
    const offset = this.records.length;
    const id = `00000000-0000-4000-8000-${String(offset).padStart(12, '0')}`;
    const timeMs = Date.UTC(2026, 0, 1) + offset * 1_000 + this.#waitedMs;
    return { id, timeMs, correlationId: id, seenOffset: offset - 1, schemaVersion: 1 };
  }
}

export function base64Key({ publicKeyDer }: Identity): string {
  return Buffer.from(publicKeyDer).toString('base64');
}

/** Writes the log of a version with what it came to. Refuses to write over the files that there are. */
export async function writeGolden(log: GoldenLog, rulesVersion: number): Promise<void> {
  const files = goldenFiles(rulesVersion);
  const outcomes = JSON.stringify(replayed(log.records).outcomes, null, 2);
  await writeFile(files.records, `${log.records.join('\n')}\n`, { flag: 'wx' });
  await writeFile(files.outcomes, `${outcomes}\n`, { flag: 'wx' });
}
