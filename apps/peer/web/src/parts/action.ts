// Owns what a button or a form does: one thing at a time, whose refusal is kept beside it until it is tried again.
import { useSignal } from '@preact/signals';
import type { Answer, PageProblem } from '../api/problem.ts';

/** Something that can be done, and how it went the last time. */
export interface Action {
  readonly isBusy: boolean;
  /** Why it was refused; null while it was not. */
  readonly problem: PageProblem | null;
  /** Does it, unless it is being done. */
  readonly run: () => void;
}

/** `work` is done on `run`; `done` is told what came of it when it was not refused. */
export function useAction<Value>(
  work: () => Promise<Answer<Value>>,
  done: (value: Value) => void = () => undefined,
): Action {
  const isBusy = useSignal(false);
  const problem = useSignal<PageProblem | null>(null);
  const run = async (): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    const answer = await work();
    isBusy.value = false;
    problem.value = answer.ok ? null : answer.problem;
    if (answer.ok) done(answer.value);
    else focusFirstWrong();
  };
  return { isBusy: isBusy.value, problem: problem.value, run: () => void run() };
}

/** Once the refusal is shown, the focus is in the first field that it names. */
function focusFirstWrong(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}
