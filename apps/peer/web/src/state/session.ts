// Owns who this page talks to: whether it is let in, who is logged in on the peer, and how the peer stands with its trackers. All of it is
// the peer's status, read once the stream of events is open and kept up by what they tell.
import { computed, effect, signal } from '@preact/signals';
import type { StatusView, TrackerView } from '#wire/control-status';
import { get, isShutOut, showProof } from '../api/client.ts';
import { type Answer, PEER_AWAY, type PageProblem } from '../api/problem.ts';
import { feedState, onEvent, onReset, startFeed, stopFeed } from '../live/event-feed.ts';
import { goHome } from '../routing/router.ts';
import { tell } from './news.ts';

/** The peer's status as it was told last; null before the first time. */
export const status = signal<StatusView | null>(null);

/** Why the status could not be read before it was read once. */
export const startProblem = signal<PageProblem | null>(null);

/** Why a ticket let nobody in: it was used, or it is too old. */
export const ticketProblem = signal<PageProblem | null>(null);

/** Where a person stands: the page is loading, is not let in, nobody is logged in, or somebody is. */
export type Phase = 'starting' | 'shut_out' | 'logged_out' | 'logged_in';

export const phase = computed<Phase>(() => {
  if (isShutOut.value) return 'shut_out';
  if (status.value === null) return 'starting';
  return status.value.user === null ? 'logged_out' : 'logged_in';
});

/** Who is logged in; an empty text for nobody. */
export const user = computed(() => status.value?.user ?? '');

/** Whether the peer answers, as far as the stream of events knows. */
export const isPeerAway = computed(() => feedState.value === 'away');

/** Begins: a ticket in the address is taken out of it and exchanged, then the page lives by the events. */
export async function startSession(): Promise<void> {
  onReset(() => void readStatus());
  for (const type of ['session_changed', 'outage_changed', 'reachability_changed', 'trackers_disagree']) {
    onEvent(type, () => void readStatus());
  }
  onEvent<{ readonly detail: string }>('tracker_key_changed', ({ detail }) => tell({ tone: 'bad', text: detail }));
  onEvent<TrackerView>('tracker_changed', (tracker) => {
    const known = status.peek();
    if (known === null) return;
    const trackers = known.trackers.map((each) => (each.address === tracker.address ? tracker : each));
    status.value = { ...known, trackers };
  });
  effect(() => {
    if (isShutOut.value) stopFeed();
  });
  effect(tellOfUnneededTicket);
  globalThis.addEventListener('hashchange', () => void useTicket());
  await useTicket();
  if (!isShutOut.value) startFeed();
}

/**
 * Exchanges what `cohort open` put behind the `#`, if it is there. It is good once, and stays in no history. Whether this browser is let
 * in without it the status tells.
 */
async function useTicket(): Promise<void> {
  const ticket = new URLSearchParams(location.hash.slice(1)).get('ticket');
  if (ticket === null) return;
  goHome();
  const answer = await enter({ ticket });
  if (!answer.ok) ticketProblem.value = answer.problem;
}

/** Any link may hold a ticket that is none: to whoever is in already it is news, and nothing else. */
function tellOfUnneededTicket(): void {
  const isIn = phase.value === 'logged_in' || phase.value === 'logged_out';
  const problem = ticketProblem.value;
  if (!isIn || problem === null) return;
  ticketProblem.value = null;
  if (problem.code !== 'control_token_required') return;
  tell({
    tone: 'info',
    text: 'The ticket of this address let nobody in: it is used, or too old. This browser is let in already.',
  });
}

/** Has a ticket or the control token exchanged for a cookie. After that the page is let in. */
export async function enter(proof: { readonly ticket: string } | { readonly token: string }): Promise<Answer<null>> {
  const answer = await showProof(proof);
  if (!answer.ok) return answer;
  ticketProblem.value = null;
  isShutOut.value = false;
  startFeed();
  return answer;
}

let reading: Promise<void> | null = null;
let isStale = false;

/** Reads the status anew. Whoever waits for it knows how it was after the call. */
export function readStatus(): Promise<void> {
  isStale = true;
  reading ??= readWhileStale();
  return reading;
}

async function readWhileStale(): Promise<void> {
  while (isStale) {
    isStale = false;
    const answer = await get<StatusView>('/status');
    if (answer.ok) status.value = answer.value;
    startProblem.value = answer.ok ? null : answer.problem;
  }
  reading = null;
}

/** Says at the start that nobody is there, before the stream has broken for the first time. */
effect(() => {
  if (feedState.value === 'away' && status.peek() === null) startProblem.value = PEER_AWAY;
});
