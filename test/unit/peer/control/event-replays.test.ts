import 'reflect-metadata';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventJournal } from '../../../../apps/peer/src/control/event-journal.ts';
import { EventStreams } from '../../../../apps/peer/src/control/event-streams.ts';
import { EventsController } from '../../../../apps/peer/src/control/events.controller.ts';
import { RecordedLink, RecordedTransfers } from './recorded-ports.ts';

let directory: string;
let journal: EventJournal;
let server: Server;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cohort-replays-'));
  const writeFailed = (_path: string, error: Error): void => expect.fail(error.message);
  journal = new EventJournal(join(directory, 'events.ndjson'), { now: () => 0, writeFailed });
  const link = new RecordedLink();
  const transfers = Object.assign(new RecordedTransfers(), { onProgress: () => () => undefined });
  const moved = () => ({ receivedBytes: 0, sentBytes: 0 });
  const streams = new EventStreams({ journal, transfers, link, moved, now: () => 0 });
  const controller = new EventsController(journal, streams, link);
  server = createServer((asked, raw) => {
    void controller.events(
      {},
      { headers: asked.headers, query: {}, raw: asked } as never,
      { hijack() {}, raw } as never,
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

/** What a stream says until `word` stands in it. */
function streamUntil(word: string, lastEventId?: number, whenOpen?: () => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) };
    const { port } = server.address() as AddressInfo;
    const streaming = request({ host: '127.0.0.1', port, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (!text.includes(word)) return;
        resolve(text);
        streaming.destroy();
      });
      response.once('data', () => whenOpen?.());
      response.on('error', reject);
    });
    streaming.on('error', reject).end();
  });
}

test('a stream that goes on after nothing begins with the id of the last event', async () => {
  for (let number = 0; number < 3; number++) journal.append('group_changed', { group: 'films' });
  expect(await streamUntil('id: ')).toBe(': events\n\nid: 3\n\n');
});

test('a replay that could not be sent at once is one event that says to read everything anew', async () => {
  const detail = 'ä'.repeat(1_000);
  for (let number = 0; number < 200; number++) journal.append('group_changed', { detail });
  expect((await streamUntil('id: 200\n', 0)).match(/^id: /gm)).toHaveLength(200);
  for (let number = 200; number < 700; number++) journal.append('group_changed', { detail });
  expect(await streamUntil('\n\nid: ', 0)).toMatch(/^: events\n\nid: 700\nevent: reset\n/);
});

test('what is written at once may be longer than what may be unread', async () => {
  const stream = streamUntil('end"', undefined, () => {
    journal.append('group_changed', { detail: `${'a'.repeat(1_500_000)}end` });
  });
  expect((await stream).length).toBeGreaterThan(1_500_000);
});

test('a client that does not read is cut off', async () => {
  const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>;
  const silent = connect((server.address() as AddressInfo).port, '127.0.0.1');
  silent.pause().write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const [, answer] = await asked;
  await vi.waitFor(() => {
    journal.append('group_changed', { detail: 'a'.repeat(1_500_000) });
    expect(answer.destroyed).toBe(true);
  }, 10_000);
  silent.destroy();
});
