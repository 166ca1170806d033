import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { afterAll, expect, it } from 'vitest';
import { loadOrCreateIdentity } from '#identity/identity';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import { DataDirUnusable, lockDataDir } from '#identity/data-dir-lock';

const root = mkdtempSync(join(tmpdir(), 'cohort-identity-'));
afterAll(() => rmSync(root, { recursive: true }));

it('a second start reads the same identity, and its key file is for its owner only', async () => {
  const first = await loadOrCreateIdentity(join(root, 'a'));
  const second = await loadOrCreateIdentity(join(root, 'a'));
  expect(second).toMatchObject({ id: first.id, certificatePem: first.certificatePem });
  expect(statSync(join(root, 'a', 'identity.key')).mode & 0o077).toBe(0);
});

it.each([0o640, 0o644, 0o604])('a key that others could read (%o) is theirs no more', async (mode) => {
  const { id } = await loadOrCreateIdentity(join(root, `open ${mode}`));
  const keyFile = join(root, `open ${mode}`, 'identity.key');
  chmodSync(keyFile, mode);
  expect((await loadOrCreateIdentity(join(root, `open ${mode}`))).id).toBe(id);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
});

it('a lost certificate is made anew for the same id', async () => {
  const first = await loadOrCreateIdentity(join(root, 'b'));
  unlinkSync(join(root, 'b', 'identity.crt'));
  expect((await loadOrCreateIdentity(join(root, 'b'))).id).toBe(first.id);
  expect(readFileSync(join(root, 'b', 'identity.crt'), 'utf8')).toContain('BEGIN CERTIFICATE');
});

it('both ends of a connection read the id of the other', async () => {
  const [server, client] = await Promise.all([
    loadOrCreateIdentity(join(root, 'server')),
    loadOrCreateIdentity(join(root, 'client')),
  ]);
  const listener = createServer(mutualTlsOptions(server)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ ...mutualTlsOptions(client), host: '127.0.0.1', port });
  await once(socket, 'secureConnect');
  const [far] = await accepted;
  expect(idOfSocket(socket)).toBe(server.id);
  expect(idOfSocket(far)).toBe(client.id);
  socket.destroy();
  far.destroy();
  listener.close();
});

it('who resumes a session is whoever began it, whatever certificate is to hand, and who answers it is nobody', async () => {
  const [server, client, other] = await Promise.all(
    ['server', 'client', 'other'].map((name) => loadOrCreateIdentity(join(root, name))),
  );
  const listener = createServer(mutualTlsOptions(server!)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const ends: TLSSocket[] = [];
  const connectAs = async (identity: typeof client, session?: Buffer): Promise<[near: TLSSocket, far: TLSSocket]> => {
    const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
    const near = connect({ ...mutualTlsOptions(identity!), host: '127.0.0.1', port, ...(session && { session }) });
    const [far] = await accepted;
    ends.push(near, far);
    far.write('a ticket comes with the first bytes');
    return [near, far];
  };
  const [first] = await connectAs(client);
  const [session] = (await once(first, 'session')) as [Buffer];
  const [near, far] = await connectAs(other, session);
  await once(near, 'data');
  expect(near.isSessionReused()).toBe(true);
  expect({ caller: idOfSocket(far), answerer: idOfSocket(near) }).toEqual({ caller: client!.id, answerer: null });
  for (const end of ends) end.destroy();
  listener.close();
});

it('a locked data directory refuses a second process and is free again after a kill', () => {
  const directory = join(root, 'locked');
  const lock = lockDataDir(directory);
  expect(() => lockDataDir(directory)).toThrow(DataDirUnusable);
  lock.release();
  const file = new URL('../../../libs/identity/src/data-dir-lock.ts', import.meta.url).href;
  const script = `const { lockDataDir } = await import(${JSON.stringify(file)}); lockDataDir(${JSON.stringify(directory)}); process.kill(process.pid, 'SIGKILL');`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal).toBe('SIGKILL');
  lockDataDir(directory).release();
});

it.each([
  ['identity.key', 'nonsense', 'put a copy of it back'],
  ['identity.crt', 'nonsense', 'remove identity.crt'],
  ['lock', 'this is no lock of anybody', 'remove that file'],
])('a damaged %s is told with what to do about it', async (name, text, advice) => {
  const directory = join(root, `damaged-${name}`);
  await loadOrCreateIdentity(directory);
  writeFileSync(join(directory, name), text);
  const start = async () => {
    const lock = lockDataDir(directory);
    await loadOrCreateIdentity(directory).finally(() => lock.release());
  };
  const error = await start().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataDirUnusable);
  expect((error as Error).message).toContain(advice);
});

it('a data directory that cannot be made is told', () => {
  writeFileSync(join(root, 'file'), '');
  expect(() => lockDataDir(join(root, 'file'))).toThrow(DataDirUnusable);
});
