// Owns how content gets to a client: as fast as it reads, and no faster. The next bytes are read while the ones before are sent;
// what breaks off in the middle ends the connection, because a shorter answer would pass for the whole.
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Refused } from '#wire/tracker-api';
import type { ContentReader, OpenContent } from '../transfers/transfers.ts';
import type { ContentAnswer } from './content-answer.ts';
import { acceptedOrThrow } from './problem-error.ts';

/** Sends the answer. Throws ProblemError as long as nothing was sent: the first bytes are there before the status is. */
export async function sendContent(reply: FastifyReply, content: OpenContent, answer: ContentAnswer): Promise<void> {
  const response = reply.raw;
  const reader = answer.body === null ? null : content.read(answer.body);
  const first = (await reader?.next()) ?? null;
  if (isRefused(first) && !response.destroyed) return acceptedOrThrow(first);
  reply.hijack();
  if (response.destroyed || isRefused(first)) return;
  response.writeHead(answer.status, { ...(reply.getHeaders() as Record<string, string>), ...answer.headers });
  const isWhole = reader === null || (await sendAll(response, { reader, first }));
  if (isWhole) response.end();
  else response.destroy();
}

/** Whether all was sent. A buffer is filled anew by the call after the next one, so no more than one is on its way meanwhile. */
async function sendAll(
  response: ServerResponse,
  { reader, first }: { readonly reader: ContentReader; readonly first: Uint8Array | null },
): Promise<boolean> {
  let sent = Promise.resolve();
  for (let bytes: Uint8Array | Refused | null = first; bytes !== null; bytes = await reader.next()) {
    if (isRefused(bytes)) return false;
    await sent;
    if (response.destroyed) return false;
    sent = written(response, bytes);
  }
  await sent;
  return true;
}

/** Resolves when the client's connection has taken the bytes, or is gone. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('close', settle);
      resolve();
    };
    response.on('close', settle);
    response.write(bytes, settle);
  });
}

function isRefused(bytes: Uint8Array | Refused | null): bytes is Refused {
  return bytes !== null && 'status' in bytes;
}
