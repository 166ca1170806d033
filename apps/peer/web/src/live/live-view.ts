// Owns views of the peer as components use them: read when somebody looks, read anew when an event says that they are another, and after
// the stream of events broke. What was read stays shown meanwhile, so that nothing flickers. Nothing here asks at intervals.
import { type ReadonlySignal, signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Answer, PageProblem } from '../api/problem.ts';
import { feedState, onEvent, onReset } from './event-feed.ts';

const BURST_MS = 250;

/** A view as it stands. */
export interface LiveView<Value> {
  /** Null until it has been read once. */
  readonly value: ReadonlySignal<Value | null>;
  /** Why it could not be read the last time. */
  readonly problem: ReadonlySignal<PageProblem | null>;
  /** Reads it anew; at most one reading runs, and one more waits. Whoever waits for it sees how it was after the call. */
  readonly reload: () => Promise<void>;
}

/** What makes a view another one: the type of an event, and whether this event does; any of the type when nothing is said. */
export interface Renewal {
  readonly type: string;
  readonly when?: (data: never) => boolean;
}

/** A view that follows the events. `stop` ends that. */
export function followView<Value>(
  read: (interrupt: AbortSignal) => Promise<Answer<Value>>,
  renewals: readonly Renewal[],
): LiveView<Value> & { readonly stop: () => void } {
  const value = signal<Value | null>(null);
  const problem = signal<PageProblem | null>(null);
  const stopped = new AbortController();
  let reading: Promise<void> | null = null;
  let isStale = false;
  const reload = (): Promise<void> => {
    isStale = true;
    reading ??= readWhileStale();
    return reading;
  };
  const readWhileStale = async (): Promise<void> => {
    while (isStale && !stopped.signal.aborted) {
      isStale = false;
      const answer = await read(stopped.signal);
      if (stopped.signal.aborted) return;
      if (answer.ok) value.value = answer.value;
      problem.value = answer.ok ? null : answer.problem;
      // News come in bursts: what else comes in this while is read once.
      if (isStale) await new Promise((resolve) => setTimeout(resolve, BURST_MS));
    }
    reading = null;
  };
  const stops = [
    onReset(() => void reload()),
    ...renewals.map(({ type, when }) =>
      onEvent(type, (data) => {
        if (when === undefined || when(data as never)) void reload();
      }),
    ),
  ];
  // A stream that is about to open says when: what is read then misses nothing.
  if (feedState.peek() !== 'connecting') void reload();
  const stop = (): void => {
    stopped.abort();
    for (const each of stops) each();
  };
  return { value, problem, reload, stop };
}

/** `followView` for as long as a component is there; `key` says when it is another view. */
export function useLiveView<Value>(
  key: string,
  read: (interrupt: AbortSignal) => Promise<Answer<Value>>,
  renewals: readonly Renewal[],
): { readonly value: Value | null; readonly problem: PageProblem | null; readonly reload: () => void } {
  const view = useSignal<LiveView<Value> | null>(null);
  useEffect(() => {
    const followed = followView(read, renewals);
    view.value = followed;
    return () => {
      view.value = null;
      followed.stop();
    };
    // The key stands for everything that the reading depends on.
  }, [key]);
  const current = view.value;
  return {
    value: current?.value.value ?? null,
    problem: current?.problem.value ?? null,
    reload: () => void view.peek()?.reload(),
  };
}
