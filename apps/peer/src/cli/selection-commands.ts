// Owns `prioritize`: what is wanted of a download that runs, or that has what was wanted of it so far.
import { PRIORITIES, type PriorityName } from '#domain/piece-priorities';
import type { PathPriorityBody, SelectionBody } from '#wire/control-selection';
import type { TransferView } from '#wire/control-api';
import type { Invocation } from './invocation.ts';
import { formatBytes } from './quantities.ts';
import { transferPath, wholeTransferId } from './transfer-ids.ts';

/** Flags of `prioritize`: globs. */
export type PriorityFlags = Partial<Readonly<Record<PriorityName | 'only', readonly string[]>>>;

/** Collects a flag that may be given several times. */
export function collected(glob: string, before: readonly string[] = []): readonly string[] {
  return [...before, glob];
}

/** prioritize. */
export async function prioritize(invocation: Invocation, id: string, flags: PriorityFlags): Promise<void> {
  const client = await invocation.client();
  const transferId = await wholeTransferId(client, id);
  const { body } = await client.change('PATCH', transferPath(transferId), selectionOf(flags));
  const { file, group } = body as TransferView;
  invocation.show(body, () => `Wanted of ${file} of ${group}: ${wantedInWords(body as TransferView)}.\n`);
}

/** What a person wants of a transfer, in words. */
export function wantedInWords({ wantedBytes, totalBytes, only, priorities }: TransferView): string {
  const part = wantedBytes === totalBytes ? 'all' : `${formatBytes(wantedBytes)} of ${formatBytes(totalBytes)}`;
  const rules = priorities.map(({ path, priority }) => `${priority} ${path}`);
  const what = [...(only === null ? [] : [`only ${only.join(' ')}`]), ...rules].join(', ');
  return what === '' ? part : `${part} (${what})`;
}

function selectionOf({ only, ...flags }: PriorityFlags): SelectionBody {
  const priorities = (Object.keys(PRIORITIES) as PriorityName[]).flatMap((priority): PathPriorityBody[] =>
    (flags[priority] ?? []).map((path) => ({ path, priority })),
  );
  return { ...(only !== undefined && { only: [...only] }), ...(priorities.length > 0 && { priorities }) };
}
