// Peers whose transfers, engine, files and domain are the real ones; only the trackers are played.
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TransferView } from '#wire/control-api';
import type { RecheckBody } from '#wire/control-requests';
import type { TransferEngine } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import { TransferRegistry } from '../../../../apps/peer/src/transfers/transfer-registry.ts';
import type { TransferRecord } from '../../../../apps/peer/src/transfers/transfer-record.ts';
import { TransferStore } from '../../../../apps/peer/src/transfers/transfer-store.ts';
import type { StartedTransfer } from '../../../../apps/peer/src/transfers/transfers.ts';
import { newFolder, onTestEnd, randomBytes, sourceOf, startPeer, type TestPeer } from '../swarm/engine-harness.ts';
import { PlayedLink, PlayedTrackers } from './played-trackers.ts';

export const GROUP = 'films';

/** How long some things take in the tests of a file. */
export const pace = { streamLingerMs: 50, scrubRoundMs: 100, placeLookMs: 60_000 };

export interface TransferPeer extends TestPeer {
  readonly dataDirectory: string;
  readonly trackers: PlayedTrackers;
  readonly link: PlayedLink;
  readonly transfers: TransferRegistry;
}

/** Peers of these names in one group, which the first of them owns. */
export async function startGroup<Names extends readonly string[]>(
  ...names: Names
): Promise<{ [Name in keyof Names]: TransferPeer }> {
  const trackers = new PlayedTrackers();
  const peers = await Promise.all(names.map((name) => startPeer(name, { plain: true, workers: 2 })));
  const [owner, ...others] = peers.map((peer) => ({ peer, link: new PlayedLink(trackers, peer) }));
  owner!.link.signUp();
  await send(owner!.link, 'create_group', { group: GROUP });
  for (const { peer, link } of others) {
    link.signUp();
    await send(link, 'join_group', { group: GROUP });
    await send(owner!.link, 'accept_request', { group: GROUP, user: peer.name });
  }
  const opened = [owner!, ...others].map(({ peer, link }) =>
    openTransfers(peer, { trackers, link, dataDirectory: newFolder() }),
  );
  return Promise.all(opened) as Promise<{ [Name in keyof Names]: TransferPeer }>;
}

export function send(link: PlayedLink, name: string, body: object) {
  return link.command(name, body, stampOf(link));
}

export function stampOf(link: PlayedLink) {
  return { commandId: randomUUID(), user: link.user() };
}

async function openTransfers(
  peer: TestPeer,
  {
    dataDirectory,
    trackers,
    link,
    scrubBytesPerSecond = null,
  }: Pick<TransferPeer, 'trackers' | 'link' | 'dataDirectory'> & { scrubBytesPerSecond?: number | null },
): Promise<TransferPeer> {
  const { engine } = peer;
  const store = await TransferStore.open(dataDirectory, {
    writeFailed: (path, error) => expect.fail(`${path}: ${error.message}`),
    damaged: (path) => expect.fail(`${path} is damaged`),
  });
  const parts = { engine, link, store, transport: 'plain', now: Date.now } as const;
  const transfers = new TransferRegistry(parts, pace);
  onTestEnd(() => transfers.close());
  await transfers.open({}, scrubBytesPerSecond);
  return { ...peer, dataDirectory, trackers, link, transfers };
}

/** Ends a peer. What it kept on disk can be changed before it starts again. */
export async function stop({ transfers, engine }: TransferPeer): Promise<void> {
  await transfers.close();
  await engine.close();
}

/** A peer that was stopped, as itself; `prepare` comes before it goes on with anything. */
export async function startAgain(
  stopped: TransferPeer,
  prepare: (engine: TransferEngine) => void = () => undefined,
  scrubBytesPerSecond: number | null = null,
): Promise<TransferPeer> {
  const { name, identity, folder, dataDirectory, trackers } = stopped;
  const peer = { ...(await startPeer(name, { plain: true, identity })), folder };
  prepare(peer.engine);
  return openTransfers(peer, { dataDirectory, trackers, link: new PlayedLink(trackers, peer), scrubBytesPerSecond });
}

/** A file in the peer's folder. */
export function newFile({ folder }: TestPeer, name: string, bytes: Uint8Array = randomBytes(300_000)): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Shares a file, and is online with it. */
export async function shareNew(peer: TransferPeer, name = 'film'): Promise<{ path: string; transferId: string }> {
  const path = newFile(peer, name);
  const { transferId } = await begun(peer.transfers.upload({ group: GROUP, path }, stampOf(peer.link)));
  peer.trackers.isOnline(sourceOf(peer));
  return { path, transferId };
}

export function download(
  peer: TransferPeer,
  options: { destination?: string; overwrite?: boolean; file?: string; version?: number } = {},
) {
  const { destination = peer.folder, file = 'film', ...rest } = options;
  return peer.transfers.download({ group: GROUP, file, destination, ...rest }, stampOf(peer.link));
}

export async function begun(answer: ReturnType<TransferRegistry['upload']>): Promise<StartedTransfer> {
  const started = await answer;
  if (started.status !== 'started') return expect.fail(JSON.stringify(started));
  return started;
}

/** The transfer once it is as a condition says. */
export function until(
  { transfers }: TransferPeer,
  transferId: string,
  condition: (view: TransferView) => boolean,
): Promise<TransferView> {
  return new Promise((resolve) => {
    const look = (): void => {
      const view = transfers.find(transferId);
      if (view === null || !condition(view)) return;
      stopListening();
      resolve(view);
    };
    const stopListening = transfers.onEvent(look);
    look();
  });
}

export function untilState(
  peer: TransferPeer,
  transferId: string,
  state: TransferView['state'],
): Promise<TransferView> {
  return until(peer, transferId, (view) => view.state === state);
}

/** A download that is complete and recorded. */
export async function downloadWhole(peer: TransferPeer, options: Parameters<typeof download>[1] = {}) {
  const started = await begun(download(peer, options));
  expect(await peer.transfers.end(started.transferId, 60_000)).toMatchObject({ state: 'complete' });
  return peer.transfers.find(started.transferId)!;
}

/** Rechecks a copy to the end. */
export async function recheckWhole(peer: TransferPeer, transferId: string, body: RecheckBody = {}) {
  const answer = await peer.transfers.recheck(transferId, { ...body, wait: true });
  if (answer.status !== 'over') return expect.fail(JSON.stringify(answer));
  return answer.transfer;
}

/** Spoils a byte here and there. */
export function spoil(path: string, ...positions: readonly number[]): void {
  const bytes = readFileSync(path);
  for (const at of positions) bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

/** What lies at a destination and beside it. */
export function onDisk(destination: string): { file: boolean; part: boolean; journal: boolean } {
  return {
    file: existsSync(destination),
    part: existsSync(`${destination}.part`),
    journal: existsSync(`${destination}.part.journal`),
  };
}

/** Names of what a peer keeps of its transfers. */
export function kept({ dataDirectory }: TransferPeer): { records: string[]; manifests: string[] } {
  return {
    records: readdirSync(join(dataDirectory, 'transfers')),
    manifests: readdirSync(join(dataDirectory, 'manifests')),
  };
}

/** What is on disk of a transfer. */
export function recordOf({ dataDirectory }: TransferPeer, transferId: string): TransferRecord {
  return JSON.parse(readFileSync(join(dataDirectory, 'transfers', `${transferId}.json`), 'utf8')) as TransferRecord;
}

/** Changes the record of a stopped peer's transfer on disk. */
export function rewriteRecord({ dataDirectory }: TransferPeer, transferId: string, change: object): void {
  const path = join(dataDirectory, 'transfers', `${transferId}.json`);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
}

type HeldMethod = 'openCopy' | 'serve' | 'verify' | 'digest' | 'inspect' | 'checkDestination' | 'dropRepair';

/** Calls of one method of an engine that wait until they are let go. */
export class HeldCalls {
  readonly #called = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();

  constructor(engine: TransferEngine, name: HeldMethod) {
    const method = engine[name].bind(engine) as (request: unknown) => Promise<unknown>;
    const held = async (request: unknown): Promise<unknown> => {
      this.#called.resolve();
      await this.#released.promise;
      return method(request);
    };
    Object.assign(engine, { [name]: held });
  }

  /** Resolves at the first call. */
  get called(): Promise<void> {
    return this.#called.promise;
  }

  release(): void {
    this.#released.resolve();
  }
}
