// Reading content as a player does: opened, and read to the end or to what ends it.
import { expect } from 'vitest';
import { STREAM_BUFFER_BYTES_MAX } from '#wire/limits';
import type { Refused } from '#wire/tracker-api';
import type { ContentReader, ContentRequest, OpenContent } from '../../../../apps/peer/src/transfers/transfers.ts';
import { onTestEnd } from '../swarm/engine-harness.ts';
import { GROUP, type TransferPeer } from './transfers-harness.ts';

export async function open(peer: TransferPeer, about: Partial<ContentRequest> = {}): Promise<OpenContent> {
  const opened = await peer.transfers.openContent({
    group: GROUP,
    file: 'film',
    path: undefined,
    version: undefined,
    keep: false,
    ...about,
  });
  if ('status' in opened) return expect.fail(JSON.stringify(opened));
  onTestEnd(() => opened.close());
  return opened;
}

export function refusal(peer: TransferPeer, about: Partial<ContentRequest> = {}): Promise<OpenContent | Refused> {
  return peer.transfers.openContent({
    group: GROUP,
    file: 'film',
    path: undefined,
    version: undefined,
    keep: false,
    ...about,
  });
}

/** What a reader gets, to the end or to what ends it. */
export async function read(reader: ContentReader): Promise<{ bytes: Buffer; refused: Refused | null }> {
  const parts: Buffer[] = [];
  for (;;) {
    const next = await reader.next();
    if (next === null || 'status' in next) return { bytes: Buffer.concat(parts), refused: next };
    expect(next.length).toBeLessThanOrEqual(STREAM_BUFFER_BYTES_MAX);
    parts.push(Buffer.from(next));
  }
}

export async function part(content: OpenContent, begin: number, end: number): Promise<Buffer> {
  const { bytes, refused } = await read(content.read({ begin, end }));
  expect(refused).toBeNull();
  return bytes;
}

/** A comparison byte by byte in words takes a second for each megabyte. */
export function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect([bytes.length, Buffer.compare(bytes, expected)]).toEqual([expected.length, 0]);
}

export const whole = (content: OpenContent): Promise<Buffer> => part(content, 0, content.totalBytes);
