// Ports of the control endpoint that answer what a test says, and remember what they were asked.
import type { CommandResult } from '#domain/outcome';
import type { TransferView } from '#wire/control-api';
import { type LimitsBody, NO_LIMITS, wholeLimits } from '#wire/control-limits';
import type { ScrubView } from '#wire/control-upkeep';
import { ContentLinks } from '../../../../apps/peer/src/control/content-links.ts';
import { DATA_DIRECTORY, PAGE_FILES } from '../../../../apps/peer/src/control/control-tokens.ts';
import { PageSessions } from '../../../../apps/peer/src/control/page-sessions.ts';
import { DROPPED_FILES, DroppedFiles } from '../../../../apps/peer/src/dropping/dropped-files.ts';
import type { EngineMetrics } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import type { CommandAnswer, CommandStamp, TrackerLink } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import type { StartedTransfer, TransferEnd, Transfers } from '../../../../apps/peer/src/transfers/transfers.ts';

export const TRANSFER_ID = '33333333-3333-4333-8333-333333333333';

export interface SentCommand extends CommandStamp {
  readonly name: string;
  readonly body: object;
}

export const NO_SCRUB: ScrubView = {
  ...{ bytesPerSecond: null, readBytes: 0, damagedPieces: 0, copy: null, roundEndedAt: null },
};

export const accepted = (offset: number, result: CommandResult = {}): CommandAnswer => ({
  status: 'accepted',
  offset,
  result,
});

/** A tracker link whose commands are answered by `answer`, and whose views are empty. */
export class RecordedLink implements TrackerLink {
  readonly sent: SentCommand[] = [];
  currentUser: string | null = 'alice';
  answer: (command: SentCommand) => CommandAnswer | Promise<CommandAnswer> = () => accepted(this.sent.length);

  user = (): string | null => this.currentUser;
  endedSession: TrackerLink['endedSession'] = () => null;
  logId = (): string => 'ab'.repeat(32);
  trust: TrackerLink['trust'] = () => null;
  trackers = (): [] => [];
  reachable = (): null => null;
  outage = (): null => null;
  announced: readonly object[] = [];
  unserved: readonly number[] = [];
  /** Called once each, with the next that is announced. */
  readonly hearAnnounced: (() => void)[] = [];

  announce(downloading: readonly object[], unserved: readonly number[] = []): void {
    this.announced = downloading;
    this.unserved = unserved;
    for (const listen of this.hearAnnounced.splice(0)) listen();
  }

  onEvent: TrackerLink['onEvent'] = () => () => undefined;

  async command(name: string, body: object, stamp: CommandStamp): Promise<CommandAnswer> {
    const command = { name, body, ...stamp };
    this.sent.push(command);
    return this.answer(command);
  }

  commandOutcome = async () => view({ state: 'unknown' } as const);
  listGroups = async () => view({ items: [], next: null });
  listMembers = async () => view({ items: [], next: null });
  listRequests = async () => ({ status: 'rejected', reason: 'not_group_owner', offset: null }) as const;
  listFiles = async () => view({ items: [], next: null });
  listSessions = async () => view({ items: [] });
  watchGroups: TrackerLink['watchGroups'] = () => ({ begun: Promise.resolve(), stop: () => undefined });
  listCopies: TrackerLink['listCopies'] = async () => view({ items: [], next: null });
  findSources: TrackerLink['findSources'] = async () => ({
    status: 'rejected',
    reason: 'file_not_found',
    offset: null,
  });
}

/** Links of a peer that makes none that count. */
export const NO_LINKS = {
  provide: ContentLinks,
  useValue: new ContentLinks({ now: () => 0, user: () => null }),
};

/** What the page of a peer needs: none was built, and what is dropped goes into a folder. */
/** What an engine has to tell that has done nothing. */
export const IDLE_ENGINE: EngineMetrics = {
  ...{ workers: [], pool: { busySeconds: 0, runningTasks: 0, queuedTasks: 0 } },
  ...{ verifiedPieces: 0, failedPieces: 0, replacedWorkers: 0, writeFailures: [], refusals: [] },
};

export function pageParts(dataDirectory: string) {
  const sessions = new PageSessions({ peerId: 'cd'.repeat(32), controlToken: 'a-token-of-a-test', now: Date.now });
  const dropped = new DroppedFiles({
    ...{ dataDirectory, now: Date.now, usedPaths: () => [] },
    areSomeUnknown: () => Promise.resolve(false),
  });
  return [
    { provide: PageSessions, useValue: sessions },
    { provide: PAGE_FILES, useValue: new Map() },
    { provide: DATA_DIRECTORY, useValue: dataDirectory },
    { provide: DROPPED_FILES, useValue: dropped },
  ];
}

function view<View>(shown: View) {
  return { status: 'accepted', asOfOffset: 5, view: shown } as const;
}

/** Transfers that begin whatever they are told to, and end as `ends` says. */
export class RecordedTransfers implements Transfers {
  readonly begun: { readonly body: object; readonly stamp: CommandStamp }[] = [];
  offset: number | null = 9;
  ends: TransferEnd = { state: 'complete', offset: 9 };
  undecided = new Set<string>();
  views: TransferView[] = [];
  held: LimitsBody = NO_LIMITS;

  upload = (body: object, stamp: CommandStamp): Promise<StartedTransfer> => this.#begin(body, stamp);
  download = (body: object, stamp: CommandStamp): Promise<StartedTransfer> => this.#begin(body, stamp);
  seed = (body: object, stamp: CommandStamp): Promise<StartedTransfer> => this.#begin(body, stamp);
  stopShare = async (): Promise<CommandAnswer> => accepted(1);
  isUndecided = (commandId: string): boolean => this.undecided.has(commandId);
  end = async (): Promise<TransferEnd> => this.ends;
  openContent: Transfers['openContent'] = async () => ({ status: 'failed', code: 'content_unavailable' });
  looks = 0;
  refreshCopyCounts = (): void => void this.looks++;
  list = (): TransferView[] => this.views;
  find = (id: string): TransferView | null => this.views.find(({ transferId }) => transferId === id) ?? null;
  files = async () => ({ status: 'failed', code: 'transfer_not_found' }) as const;
  pause = async () => ({ status: 'failed', code: 'transfer_not_found' }) as const;
  resume = async () => ({ status: 'failed', code: 'transfer_not_found' }) as const;
  cancel = async () => ({ status: 'failed', code: 'transfer_not_found' }) as const;
  prioritize = async () => ({ status: 'failed', code: 'transfer_not_found' }) as const;
  recheck = async () => ({ status: 'failed', code: 'transfer_not_found' }) as const;
  remove = async (): Promise<null> => null;
  scrub = (): ScrubView => NO_SCRUB;
  limits = (): LimitsBody => this.held;
  setLimits = async (limits: LimitsBody): Promise<LimitsBody> => (this.held = wholeLimits(limits));
  onEvent = (): (() => void) => () => undefined;
  onProgress: Transfers['onProgress'] = () => () => undefined;

  async #begin(body: object, stamp: CommandStamp): Promise<StartedTransfer> {
    this.begun.push({ body, stamp });
    return { status: 'started', transferId: TRANSFER_ID, offset: this.offset, result: {} };
  }
}
