// Owns putting a peer together: engine, tracker link, transfers and control endpoint, in the order in which they need each
// other, and the events of all of them in one journal.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { piecesInWords } from '#domain/content-damage';
import { isLoopback } from '#identity/dialled-addresses';
import { type FileReports, ReplacedFile } from '#identity/durable-file';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import type { ProcessLog } from '#program/process-log';
import type { Figures } from '#metrics/figures';
import type { Traces } from '#program/traces';
import { formatHostPort } from '#wire/host-port';
import { formatFingerprint } from '#wire/tracker-info';
import { ERRORS } from '#wire/wire-error';
import { ApiKeys, loadOrCreateToken } from './control/api-keys.ts';
import { CommandMemory } from './control/command-memory.ts';
import { CommandRunner } from './control/command-runner.ts';
import { ContentLinks } from './control/content-links.ts';
import { type ControlEndpoint, openControlEndpoint } from './control/control-endpoint.ts';
import {
  COPY_KEEPING,
  DATA_DIRECTORY,
  PAGE_FILES,
  PEER_ID,
  STATUS_FACTS,
  TRANSFER_ENGINE,
} from './control/control-tokens.ts';
import { EventJournal } from './control/event-journal.ts';
import { builtPageFolder, readPageFiles } from './control/page-files.ts';
import { PageSessions } from './control/page-sessions.ts';
import { type StatusFacts, trackerView } from './control/status.controller.ts';
import { DROPPED_FILES, DroppedFiles } from './dropping/dropped-files.ts';
import { CopyKeeping } from './keeping/copy-keeping.ts';
import type { PeerOptions } from './peer-options.ts';
import { openTransferEngine } from './swarm/open-transfer-engine.ts';
import type { TransferEngine } from './swarm/transfer-engine.ts';
import { FailoverLink } from './tracker-link/failover-link.ts';
import { LinkMemory } from './tracker-link/link-memory.ts';
import { type LinkEvent, TRACKER_LINK } from './tracker-link/tracker-link.ts';
import { TrackerClient } from './tracker-link/tracker-client.ts';
import { changedKeyInWords, TrackerTrust } from './tracker-link/tracker-trust.ts';
import { TransferRegistry } from './transfers/transfer-registry.ts';
import { TransferStore } from './transfers/transfer-store.ts';
import { type TransferEvent, TRANSFERS } from './transfers/transfers.ts';

/** A peer that runs. */
export interface RunningPeer {
  readonly peerId: string;
  /** `http://host:port` of the control endpoint. */
  readonly controlUrl: string;
  /** `host:port` where it accepts other peers. */
  readonly listen: string;
  /** What its /metrics tells. */
  readonly figures: Figures;
  stop(): Promise<void>;
}

/** To whom it is told what happens. */
interface Tellers {
  readonly log: ProcessLog;
  readonly traces: Traces;
}

/** What somebody should hear of. */
type Warn = (message: string) => void;

/** Starts everything. Throws what keeps it from starting; the data directory is locked by the caller. */
export async function startPeer(options: PeerOptions, tellers: Tellers): Promise<RunningPeer> {
  const { dataDirectory, plain } = options;
  const identity = await loadOrCreateIdentity(dataDirectory);
  const controlToken = await loadOrCreateToken(options.controlTokenFile);
  const engine = await openTransferEngine({ identity, ...engineOptions(options) });
  try {
    const { listenAddress } = engine;
    const port = options.advertise.port === 0 ? listenAddress.port : options.advertise.port;
    const facts: StatusFacts = {
      peerId: identity.id,
      listen: formatHostPort({ host: options.listen.host, port: listenAddress.port }),
      advertise: formatHostPort({ host: options.advertise.host, port }),
      transport: plain ? 'plain' : 'tls',
    };
    return await startControl({ options, identity, controlToken, engine, facts, ...tellers });
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function engineOptions({ listen, advertise, workers, plain }: PeerOptions) {
  // Who is told to others on loopback has its group there.
  const dialsLoopback = isLoopback(listen.host) || isLoopback(advertise.host);
  return { listen, workers, plain, dialsLoopback, now: Date.now, random: Math.random };
}

interface ControlParts extends Tellers {
  readonly options: PeerOptions;
  readonly identity: Identity;
  readonly controlToken: string;
  readonly engine: TransferEngine;
  readonly facts: StatusFacts;
}

async function startControl(parts: ControlParts): Promise<RunningPeer> {
  const { options, identity, controlToken, engine, facts, log, traces } = parts;
  const { dataDirectory } = options;
  const warn: Warn = (message) => log.warn(message);
  const link = await openLink(parts);
  const { writeFailed, damaged } = fileReports(warn);
  const store = await TransferStore.open(dataDirectory, { writeFailed, damaged });
  const transfers = new TransferRegistry({ engine, link, store, transport: facts.transport, now: Date.now });
  const journal = new EventJournal(join(dataDirectory, 'events.ndjson'), { now: Date.now, writeFailed });
  link.onEvent((event) => journalLinkEvent(journal, event, warn));
  transfers.onEvent((event) => journalTransferEvent(journal, event, warn));
  const keeping = await openKeeping(options, { link, transfers, warn });
  const keys = await ApiKeys.open({ dataDirectory, controlToken, damaged, now: Date.now });
  const links = new ContentLinks({ now: Date.now, user: () => link.user() });
  const memory = new CommandMemory(join(dataDirectory, 'commands.ndjson'), writeFailed);
  const { pages, dropped, pageProviders } = await openPage(parts, { transfers, store });
  const endpoint = await openControlEndpoint({
    listen: options.control,
    ...{ allowedHosts: options.allowedHosts, log, traces },
    scopeOf: (token) => keys.scopeOf(token),
    opensLink: (signed) => links.opens(signed),
    opensPage: (cookies) => pages.opens(cookies),
    providers: [
      { provide: TRACKER_LINK, useValue: link },
      { provide: TRANSFERS, useValue: transfers },
      { provide: TRANSFER_ENGINE, useValue: engine },
      ...factProviders(parts),
      { provide: CommandRunner, useValue: new CommandRunner({ link, transfers, memory }) },
      { provide: ApiKeys, useValue: keys },
      { provide: EventJournal, useValue: journal },
      { provide: ContentLinks, useValue: links },
      ...pageProviders,
      ...(keeping === null ? [] : [{ provide: COPY_KEEPING, useValue: keeping }]),
    ],
  });
  await transfers.open(options.limits, options.scrubBytesPerSecond);
  await dropped.start();
  link.start();
  keeping?.start();
  const controlUrl = `http://${formatHostPort(endpoint.address)}`;
  const controlFile = join(dataDirectory, 'control.json');
  const { trackerInfo } = options;
  await new ReplacedFile(controlFile).write(`${JSON.stringify({ url: controlUrl, pid: process.pid, trackerInfo })}\n`);
  const stop = async (): Promise<void> => {
    await rm(controlFile, { force: true });
    await stopAll({ endpoint, transfers, engine, link, keeping, dropped });
  };
  return { peerId: identity.id, controlUrl, listen: facts.listen, figures: endpoint.figures, stop };
}

/** What does not change while the peer runs. */
function factProviders({ options, identity, facts }: ControlParts) {
  return [
    { provide: PEER_ID, useValue: identity.id },
    { provide: STATUS_FACTS, useValue: facts },
    { provide: DATA_DIRECTORY, useValue: options.dataDirectory },
  ];
}

/** What the page in the browser needs: its files, who is let in, and what is dropped on it. */
async function openPage(
  { options, identity, controlToken }: ControlParts,
  { transfers, store }: { readonly transfers: TransferRegistry; readonly store: TransferStore },
) {
  const { dataDirectory } = options;
  const pages = new PageSessions({ peerId: identity.id, controlToken, now: Date.now });
  const dropped = new DroppedFiles({
    ...{ dataDirectory, now: Date.now },
    usedPaths: () => transfers.paths(),
    areSomeUnknown: () => store.hasDamaged(),
  });
  const pageProviders = [
    { provide: PageSessions, useValue: pages },
    { provide: PAGE_FILES, useValue: await readPageFiles(builtPageFolder()) },
    { provide: DROPPED_FILES, useValue: dropped },
  ];
  return { pages, dropped, pageProviders };
}

/** Null for a peer that was not started to keep copies. */
async function openKeeping(
  { keeping }: PeerOptions,
  parts: { readonly link: FailoverLink; readonly transfers: TransferRegistry; readonly warn: Warn },
): Promise<CopyKeeping | null> {
  const later = (waitMs: number, act: () => void): (() => void) => {
    const timer = setTimeout(act, waitMs);
    return () => clearTimeout(timer);
  };
  return keeping === null
    ? null
    : CopyKeeping.open({ ...keeping, ...parts, later, now: Date.now, random: Math.random });
}

async function openLink({ options, identity, facts, log, traces }: ControlParts): Promise<FailoverLink> {
  const { dataDirectory, trackers } = options;
  const warn: Warn = (message) => log.warn(message);
  const reports = fileReports(warn);
  const trust = await TrackerTrust.open(trackers, join(dataDirectory, 'known-trackers.json'), reports);
  for (const { address, remembered, pinned } of trust.overruled()) {
    const [file, before] = [formatFingerprint(pinned), formatFingerprint(remembered)];
    warn(`tracker_info.txt gives ${file} for ${address}, which showed ${before} before: only ${file} is trusted now`);
  }
  return new FailoverLink({
    identity,
    trackers,
    trust,
    memory: await LinkMemory.open(join(dataDirectory, 'link.json'), reports),
    addresses: [facts.advertise],
    transport: facts.transport,
    random: Math.random,
    openChannel: (to) => new TrackerClient(to, log, traces),
  });
}

/** Says once of each file that it cannot be written, or read: what it should hold is missing after a restart, or now. */
function fileReports(warn: Warn): FileReports {
  const reported = new Set<string>();
  return {
    writeFailed: (path, error) => {
      if (reported.has(path)) return;
      reported.add(path);
      warn(`cannot write ${path}: ${error.message}; what it should hold will be missing after a restart`);
    },
    damaged: (path) => warn(`${path} is damaged and was put aside as ${path}.damaged: what it held is missing`),
  };
}

/** First nobody can ask for anything any more, then what runs is let go of. */
async function stopAll(parts: {
  endpoint: ControlEndpoint;
  transfers: TransferRegistry;
  engine: TransferEngine;
  link: FailoverLink;
  keeping: CopyKeeping | null;
  dropped: DroppedFiles;
}): Promise<void> {
  await parts.endpoint.close();
  parts.dropped.close();
  parts.keeping?.close();
  await parts.transfers.close();
  await Promise.all([parts.engine.close(), parts.link.close()]);
}

function journalTransferEvent(journal: EventJournal, event: TransferEvent, warn: Warn): void {
  switch (event.type) {
    case 'transfer_changed': {
      // Its pieces and peers are most of it, and what is new of these is told as progress.
      const { bitfield: _bitfield, peers: _peers, ...news } = event.transfer;
      return journal.append(event.type, news);
    }
    case 'transfer_removed':
      return journal.append(event.type, { transferId: event.transferId });
    case 'damage_found': {
      const { transferId, group, file, path, pieces } = event;
      const found = `${pieces.length === 1 ? 'piece' : 'pieces'} ${piecesInWords(pieces)} of ${path}`;
      const detail = `The disk does not give back what was written: ${found} (${file} of ${group}). It is fetched again from others.`;
      warn(detail);
      return journal.append(event.type, { transferId, group, file, path, damagedPieces: pieces.length, detail });
    }
  }
}

function journalLinkEvent(journal: EventJournal, event: LinkEvent, warn: Warn): void {
  switch (event.type) {
    case 'tracker_changed':
      return journal.append(event.type, trackerView(event.tracker));
    case 'tracker_key_changed': {
      const { address, expected, shown } = event;
      const detail = changedKeyInWords(event);
      warn(detail);
      return journal.append(event.type, { address, expected, shown, detail });
    }
    case 'trackers_disagree':
      warn(`${ERRORS.trackers_disagree.detail} Logs: ${event.logIds.join(', ')}`);
      return journal.append(event.type, { logIds: event.logIds });
    case 'outage_changed':
      warn(event.outage === null ? 'commands can be answered again' : event.outage.detail);
      return journal.append(event.type, { outage: event.outage });
    case 'reachability_changed':
      if (event.reachable === false) warn('no tracker could connect to this peer: others cannot fetch from it');
      return journal.append(event.type, { reachable: event.reachable });
    case 'session_changed':
      if (event.ended !== null) warn(event.ended.detail);
      return journal.append(event.type, { user: event.user, ended: event.ended });
    case 'group_changed':
      return journal.append(event.type, { group: event.group });
    case 'revoked':
    case 'sessions_changed':
    case 'sources_changed':
    case 'files_changed':
    case 'files_reset':
    case 'trust_changed':
      return;
  }
}
