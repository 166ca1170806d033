// Where the endpoint listens, and how it ends: with nothing behind it that these tests ask for.
import dns from 'node:dns';
import { once } from 'node:events';
import { connect } from 'node:net';
import 'reflect-metadata';
import { expect, test, vi } from 'vitest';
import { openControlEndpoint } from '../../../../apps/peer/src/control/control-endpoint.ts';
import { CONTROL_NEEDS } from '../../../../apps/peer/src/control/control.module.ts';

const options = {
  listen: { host: '127.0.0.1', port: 0 },
  allowedHosts: [],
  scopeOf: () => null,
  opensLink: () => false,
  opensPage: () => false,
  providers: CONTROL_NEEDS.map((provide) => ({ provide, useValue: {} })),
};

test('a name that stands for several addresses is listened at once, where the door is', async () => {
  const { lookup } = dns;
  const looking = vi.spyOn(dns, 'lookup');
  const both = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  looking.mockImplementation(((name: string, about: { all?: boolean }, told: (...found: unknown[]) => void) => {
    if (name === 'localhost') told(null, ...(about.all === true ? [both] : ['127.0.0.1', 4]));
    else lookup(name, about, told);
  }) as never);
  const named = await openControlEndpoint({ ...options, listen: { host: 'localhost', port: 0 } });
  looking.mockRestore();
  const { host, port } = named.address;
  expect((await fetch(`http://localhost:${port}/health/live`)).status).toBe(200);
  const elsewhere = connect(port, '127.0.0.2');
  await expect(once(elsewhere, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(host).toBe('127.0.0.1');
  await named.close();
});

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
