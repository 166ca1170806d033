// Owns what a person does with a transfer: one request each, whose answer is the transfer as it is then. What was refused is told where
// the eyes are: in the news.
import { signal } from '@preact/signals';
import type { TransferView } from '#wire/control-api';
import { part, patch, post, remove } from '../api/client.ts';
import type { Answer } from '../api/problem.ts';
import { tell, tellProblem } from '../state/news.ts';
import { noteTransfer } from './transfer-store.ts';
import { recheckText, type TransferAction } from './transfer-words.ts';

/** The transfer that somebody is asked about before it is removed; null while nobody is. */
export const removing = signal<TransferView | null>(null);

/** Does it, or asks first. */
export function act(action: TransferAction, transfer: TransferView): void {
  if (action === 'remove') removing.value = transfer;
  else if (action === 'recheck') void recheck(transfer);
  else void change(post<TransferView>(addressOf(transfer, `/${action}`)));
}

/** Says how much the files are wanted that are named by their paths. */
export function prioritize(
  transfer: TransferView,
  path: string,
  priority: TransferView['priorities'][number]['priority'],
): void {
  void change(patch<TransferView>(addressOf(transfer), { priorities: [{ path, priority }] }));
}

/** Forgets a transfer, with what it wrote or without. */
export function removeTransfer(transfer: TransferView, data: 'keep' | 'delete'): Promise<Answer<null>> {
  return remove(addressOf(transfer, `?data=${data}`));
}

async function change(answered: Promise<Answer<TransferView>>): Promise<void> {
  const answer = await answered;
  if (answer.ok) noteTransfer(answer.value);
  else tellProblem(answer.problem);
}

/** It is answered at once, and its end comes with the events. */
async function recheck(transfer: TransferView): Promise<void> {
  const answer = await post<TransferView>(addressOf(transfer, '/recheck'), {});
  if (!answer.ok) return tellProblem(answer.problem);
  noteTransfer(answer.value);
  const words = answer.status === 202 ? null : recheckText(answer.value);
  if (words !== null) tell({ tone: answer.value.recheck?.verdict === 'sound' ? 'good' : 'info', text: words });
}

function addressOf({ transferId }: TransferView, rest = ''): string {
  return `/transfers/${part(transferId)}${rest}`;
}
