// Where the endpoint listens, and how it ends: with nothing behind it that these tests ask for.
import { once } from 'node:events';
import { connect } from 'node:net';
import 'reflect-metadata';
import { expect, test } from 'vitest';
import { ApiKeys } from '../../../../apps/peer/src/control/api-keys.ts';
import { CommandRunner } from '../../../../apps/peer/src/control/command-runner.ts';
import { openControlEndpoint } from '../../../../apps/peer/src/control/control-endpoint.ts';
import { PEER_ID, STATUS_FACTS, TRANSFER_ENGINE } from '../../../../apps/peer/src/control/control-tokens.ts';
import { EventJournal } from '../../../../apps/peer/src/control/event-journal.ts';
import { TRACKER_LINK } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { TRANSFERS } from '../../../../apps/peer/src/transfers/transfers.ts';

const behind = [TRACKER_LINK, TRANSFERS, TRANSFER_ENGINE, PEER_ID, STATUS_FACTS, CommandRunner, ApiKeys, EventJournal];
const options = {
  listen: { host: '127.0.0.1', port: 0 },
  allowedHosts: [],
  scopeOf: () => null,
  providers: behind.map((provide) => ({ provide, useValue: {} })),
};

test('closing waits for nobody who has connected and says nothing', async () => {
  const closing = await openControlEndpoint({ ...options, requestTimeoutMs: 200_000 });
  const silent = connect(closing.address.port, '127.0.0.1').resume();
  const ended = once(silent, 'close');
  await once(silent, 'connect');
  // Taken in after the silent one.
  await fetch(`http://127.0.0.1:${closing.address.port}/health/live`);
  await closing.close();
  await ended;
  expect(silent.bytesRead).toBe(0);
});
