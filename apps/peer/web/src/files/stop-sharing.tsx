// Owns ending that a file is shared: by this peer, or in the group altogether. Either is asked about first, with what others lose.
import type { FileItem } from '#wire/control-api';
import { command } from '../api/client.ts';
import { confirmedLoss } from '../groups/last-copies.tsx';
import { tell, tellProblem } from '../state/news.ts';
import { transferIdOfFile, transferOf } from '../transfers/transfer-store.ts';
import { isServedWhole } from '../transfers/transfer-words.ts';

/** Whether this peer has all of a file, and serves it. */
export function isHere(group: string, { file, version }: FileItem): boolean {
  const transfer = transferOf(transferIdOfFile(group, file, version));
  return transfer !== undefined && isServedWhole(transfer.value.view);
}

/** Asks, then ends that this peer serves any version of a file. */
export async function stopSharing(group: string, { file }: FileItem): Promise<void> {
  const isSure = await confirmedLoss(
    { group, file },
    {
      title: `Stop sharing ${file}?`,
      body: <p>This peer serves it to nobody any more. What is on this disk stays as it is.</p>,
      action: 'Stop sharing',
      isAlwaysAsked: true,
    },
  );
  if (isSure) await stop({ group, file }, `${file} is not shared by this peer any more.`);
}

/** Asks, then takes a file out of its group, with all versions. */
export async function takeOut(group: string, { file }: FileItem): Promise<void> {
  const isSure = await confirmedLoss(
    { group, file },
    {
      title: `Take ${file} out of ${group}?`,
      body: (
        <p>No member can download it from anybody in the group any more. Copies that they have stay on their disks.</p>
      ),
      action: 'Take it out',
      isAlwaysAsked: true,
      isDangerous: true,
    },
  );
  if (isSure) await stop({ group, file, everywhere: true }, `${file} is not in ${group} any more.`);
}

async function stop(
  body: { readonly group: string; readonly file: string; readonly everywhere?: boolean },
  done: string,
): Promise<void> {
  const answer = await command('stop_share', body);
  if (answer.ok) tell({ tone: 'good', text: done });
  else tellProblem(answer.problem);
}
