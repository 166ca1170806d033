// Owns fuzzing what a tracker reads from a connection before any handler runs: the framing of Nest's transport. The same messages
// come of the bytes however they are cut, none is longer than the limit, and what is wrong ends the connection and nothing else.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { RPC_MESSAGE_BYTES_MAX } from '#wire/limits';
import { ReplySocket } from '../../../apps/tracker/src/control/reply-socket.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { cutUp } from './frames.ts';

export const rpcFraming: FuzzTarget = {
  name: 'rpc-framing',
  sources: ['apps/tracker/src/control/reply-socket.ts'],
  shape: 'text',
  seeds: () => [
    ...[framed({ pattern: 'hello', data: {}, id: 'a' }), framed('ü') + framed(null) + framed([1])].map((text) =>
      Buffer.from(text),
    ),
    ...['-1#', '1e9#', '999999999999#x', '#', '0#', '5#{"a":'].map((text) => Buffer.from(text)),
  ],
  run: (input) => {
    const whole = heardOf([input]);
    const cut = heardOf(cutUp(input));
    assert.equal(
      JSON.stringify(cut),
      JSON.stringify(whole),
      'the same messages come of the bytes however they are cut',
    );
  },
};

function framed(message: unknown): string {
  const text = JSON.stringify(message);
  return `${text.length}#${text}`;
}

/** The messages up to the first breach of the framing, and whether there was one. */
function heardOf(chunks: readonly Uint8Array[]): { messages: unknown[]; isBroken: boolean } {
  const socket = new PlayedSocket();
  const heard = { messages: [] as unknown[], isBroken: false };
  socket.on('message', (message: unknown) => void (heard.isBroken || heard.messages.push(message)));
  socket.on('error', () => (heard.isBroken = true));
  const connection = new ReplySocket(socket as unknown as Socket, {
    maxBufferSize: RPC_MESSAGE_BYTES_MAX,
    maxSendBufferSize: RPC_MESSAGE_BYTES_MAX,
    messageTimeoutMs: 60_000,
    onTooSlow: () => undefined,
  });
  for (const chunk of chunks) if (!heard.isBroken) socket.emit('data', Buffer.from(chunk));
  connection.end();
  socket.emit('close');
  return heard;
}

class PlayedSocket extends EventEmitter {
  readonly writableLength = 0;

  end(): this {
    return this;
  }

  destroy(): this {
    return this;
  }
}
