// Owns the transfers of this peer as the page knows them: read once, then followed by events, one signal each, so that progress draws
// one row and not the list. Also which file of which group each one is, and what moves altogether.
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { TransferState, TransferView } from '#wire/control-api';
import type { TrafficView, TransferProgressView } from '#wire/control-live-events';
import { get, getAll, part } from '../api/client.ts';
import type { PageProblem } from '../api/problem.ts';
import { onEvent, onReset } from '../live/event-feed.ts';
import { user } from '../state/session.ts';
import { type Rates, SpeedHistory } from './speed-history.ts';
import { changedTo, type KnownTransfer, known, progressed, type TransferChange } from './transfer-deltas.ts';
import { isServedWhole, isUnderWay, newsOf, type TransferNews } from './transfer-words.ts';

const NOTHING: Rates = { downBytesPerSecond: 0, upBytesPerSecond: 0 };
const SAMPLE_MS = 1_000;

const transfers = new Map<string, Signal<KnownTransfer>>();
const histories = new Map<string, SpeedHistory>();
const total = new SpeedHistory();
/** The state of which each transfer was told last: what is read meanwhile may be ahead of the events, and its end is news all the same. */
const toldStates = new Map<string, TransferState>();
const listeners = new Set<(news: TransferNews, transferId: string) => void>();
const ids = signal<readonly string[]>([]);
const places = signal<ReadonlyMap<string, string>>(new Map());
const rates = signal(NOTHING);
const second = signal(0);
/** Events that came while the list was being read: it may be older than they are. Null while none is being read. */
let waiting: (() => void)[] | null = null;
/** Ends the following; null while nobody is logged in. */
let following: AbortController | null = null;

/** Ids of all transfers, the newest first. */
export const transferIds: ReadonlySignal<readonly string[]> = ids;
/** Whether they have been read at all. */
export const areTransfersRead = signal(false);
/** Why they could not be read the last time. */
export const transfersProblem = signal<PageProblem | null>(null);
/** Is another number after each second whose rates were noted. */
export const ratesTick: ReadonlySignal<number> = second;

/** What moves now, both ways. */
export const totalRates: ReadonlySignal<Rates> = rates;

/** One transfer, to be followed; undefined when there is none of that id. */
export function transferOf(transferId: string | null): ReadonlySignal<KnownTransfer> | undefined {
  // Whoever asks for one that is not there follows the list, and is drawn when it comes.
  const isAny = ids.value.length > 0;
  return isAny && transferId !== null ? transfers.get(transferId) : undefined;
}

/** The transfer of a file of a group on this peer, the best one when there are several; null when there is none. */
export function transferIdOfFile(group: string, file: string, version: number): string | null {
  return places.value.get(placeKey(group, file, version)) ?? null;
}

/** Rates of the last five minutes of all transfers, or of one of them. */
export function speedHistory(transferId: string | null): SpeedHistory {
  return transferId === null ? total : (histories.get(transferId) ?? new SpeedHistory());
}

/** Calls `listener` with what is worth a notification. Returns the way to stop. */
export function onTransferNews(listener: (news: TransferNews, transferId: string) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Takes over what the peer answered to a request that changed a transfer. */
export function noteTransfer(view: TransferView): void {
  inTurn(() => place(known(view)));
}

/** How many are under way. */
export const underWayCount = computed(() => ids.value.filter((id) => isUnderWay(transfers.get(id)!.value.view)).length);

effect(() => (user.value === '' ? undefined : followTransfers()));

/** Reads all transfers and follows them. Returns the way to stop, which forgets them. */
function followTransfers(): () => void {
  const interrupt = new AbortController();
  following = interrupt;
  const stops = [
    onReset(() => void read(interrupt.signal)),
    onEvent<TransferChange>('transfer_changed', (change) => inTurn(() => changed(change))),
    onEvent<TransferProgressView>('transfer_progress', (progress) => inTurn(() => moved(progress))),
    onEvent<{ transferId: string }>('transfer_removed', ({ transferId }) => inTurn(() => drop(transferId))),
    onEvent<TrafficView>('traffic', ({ downloadBytesPerSecond, uploadBytesPerSecond }) => {
      rates.value = { downBytesPerSecond: downloadBytesPerSecond, upBytesPerSecond: uploadBytesPerSecond };
    }),
    onEvent<{ detail: string; transferId: string }>('damage_found', ({ detail, transferId }) => {
      tell({ kind: 'bad', text: detail }, transferId);
    }),
  ];
  const sampler = setInterval(sample, SAMPLE_MS);
  void read(interrupt.signal);
  return () => {
    interrupt.abort();
    following = null;
    clearInterval(sampler);
    for (const stop of stops) stop();
    forgetAll();
  };
}

/** Reads them anew, as when somebody tries again. */
export function readTransfers(): void {
  if (following !== null) void read(following.signal);
}

async function read(interrupt: AbortSignal): Promise<void> {
  const mine: (() => void)[] = [];
  waiting = mine;
  const answer = await getAll<TransferView>('/transfers', interrupt);
  if (waiting !== mine) return;
  waiting = null;
  if (interrupt.aborted) return;
  batch(() => {
    transfersProblem.value = answer.ok ? null : answer.problem;
    if (answer.ok) replaceAll(answer.value);
    for (const happened of mine) happened();
  });
}

function replaceAll(views: readonly TransferView[]): void {
  const there = new Set(views.map(({ transferId }) => transferId));
  for (const id of transfers.keys()) if (!there.has(id)) forget(id);
  for (const view of views) {
    const before = transfers.get(view.transferId);
    if (before === undefined) transfers.set(view.transferId, signal(known(view)));
    else before.value = known(view);
  }
  ids.value = views.map(({ transferId }) => transferId).toReversed();
  areTransfersRead.value = true;
  placeAnew();
}

/** Now, or after the list that is being read. */
function inTurn(happen: () => void): void {
  if (waiting === null) batch(happen);
  else waiting.push(() => happen());
}

function changed(change: TransferChange): void {
  const before = transfers.get(change.transferId);
  const news = newsOf(toldStates.get(change.transferId) ?? before?.peek().view.state, change);
  toldStates.set(change.transferId, change.state);
  const next = before === undefined ? null : changedTo(before.peek(), change);
  if (next === null) void readOne(change.transferId);
  else place(next);
  if (news !== null) tell(news, change.transferId);
}

function moved(progress: TransferProgressView): void {
  const transfer = transfers.get(progress.transferId);
  const next = transfer === undefined ? null : progressed(transfer.peek(), progress);
  if (next === null) void readOne(progress.transferId);
  else place(next);
}

async function readOne(transferId: string): Promise<void> {
  const answer = await get<TransferView>(`/transfers/${part(transferId)}`);
  if (answer.ok) noteTransfer(answer.value);
}

function place(next: KnownTransfer): void {
  const { view } = next;
  const transfer = transfers.get(view.transferId);
  const before = transfer?.peek().view;
  if (transfer === undefined) {
    transfers.set(view.transferId, signal(next));
    ids.value = [view.transferId, ...ids.peek()];
  } else transfer.value = next;
  if (before === undefined || before.version !== view.version || before.state !== view.state) placeAnew();
}

function drop(transferId: string): void {
  if (!transfers.has(transferId)) return;
  forget(transferId);
  ids.value = ids.peek().filter((id) => id !== transferId);
  placeAnew();
}

function forget(transferId: string): void {
  transfers.delete(transferId);
  histories.delete(transferId);
  toldStates.delete(transferId);
}

function forgetAll(): void {
  waiting = null;
  batch(() => {
    ids.value = [];
    areTransfersRead.value = false;
    transfersProblem.value = null;
    places.value = new Map();
    rates.value = NOTHING;
  });
  transfers.clear();
  histories.clear();
  toldStates.clear();
}

function placeAnew(): void {
  const best = new Map<string, TransferView>();
  for (const transfer of transfers.values()) {
    const { view } = transfer.peek();
    const key = placeKey(view.group, view.file, view.version ?? 0);
    const other = best.get(key);
    if (other === undefined || rank(view) >= rank(other)) best.set(key, view);
  }
  places.value = new Map([...best].map(([key, { transferId }]) => [key, transferId]));
}

function rank(view: TransferView): number {
  if (view.temporary) return 0;
  if (isServedWhole(view)) return 3;
  return isUnderWay(view) || view.state === 'paused' ? 2 : 1;
}

function placeKey(group: string, file: string, version: number): string {
  return `${group}/${file}/${version}`;
}

function tell(news: TransferNews, transferId: string): void {
  for (const listener of listeners) listener(news, transferId);
}

/** Once a second: rates are what was told last of them. */
function sample(): void {
  const nowMs = Date.now();
  total.note(nowMs, rates.peek());
  for (const [id, transfer] of transfers) {
    const { bytesPerSecond } = transfer.peek().view;
    const history = histories.get(id);
    if (history !== undefined) history.note(nowMs, { ...NOTHING, downBytesPerSecond: bytesPerSecond });
    else if (bytesPerSecond > 0) {
      const begun = new SpeedHistory();
      begun.note(nowMs, { ...NOTHING, downBytesPerSecond: bytesPerSecond });
      histories.set(id, begun);
    }
  }
  second.value = second.peek() + 1;
}
