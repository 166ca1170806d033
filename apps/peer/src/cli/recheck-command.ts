// Owns `recheck`: which copies of this peer are meant, watching them being checked and repaired, and the verdict as words and as
// exit code. Several copies of one file are checked one after the other, and the worst of them decides.
import { setTimeout as delay } from 'node:timers/promises';
import type { RecheckVerdict } from '#domain/content-damage';
import type { RecheckView, TransferView } from '#wire/control-api';
import { problemOf } from '#wire/wire-error';
import { CommandRefused, type ControlClient } from './control-client.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Invocation } from './invocation.ts';
import { ProgressDisplay } from './progress-bar.ts';
import { StoppedWatching } from './transfer-follower.ts';

export interface RecheckFlags {
  readonly repair: boolean;
  readonly detach?: boolean;
}

/** The recheck is over, and the answer shown: not everything is as it was shared. */
export class BadVerdict extends Error {
  readonly exitCode: ExitCode;
  constructor(verdict: RecheckVerdict) {
    super(verdict);
    this.exitCode = EXIT_CODES[verdict];
  }
}

/** Somebody ended the recheck before it was over. */
export class RecheckCalledOff extends Error {
  constructor(transferId: string) {
    super(`The recheck of ${transferId} was called off.`);
  }
}

type CheckedTransfer = TransferView & { readonly recheck: RecheckView & { readonly verdict: RecheckVerdict } };

const EXIT_CODES: Readonly<Record<RecheckVerdict, ExitCode>> = {
  sound: EXIT.ok,
  repaired: EXIT.ok,
  damaged: EXIT.damaged,
  incomplete: EXIT.incomplete,
};
/** Best first. */
const VERDICTS: readonly RecheckVerdict[] = ['sound', 'repaired', 'damaged', 'incomplete'];
const LOOK_AGAIN_MS = 200;

/** recheck: by group and file, or by the beginning of a transfer's id. */
export async function recheck(
  invocation: Invocation,
  words: readonly [string, string | undefined],
  { repair, detach }: RecheckFlags,
): Promise<void> {
  const client = await invocation.client();
  const checked: CheckedTransfer[] = [];
  for (const { transferId } of await copiesOf(client, words)) {
    const path = `/transfers/${encodeURIComponent(transferId)}`;
    const begun = (await client.change('POST', `${path}/recheck`, { repair })).body as TransferView;
    if (detach !== true) checked.push(await followRecheck(begun, { client, invocation }));
    else invocation.show(begun, () => `Under way. See it with: ${invocation.typed(`transfers ${transferId}`)}\n`);
  }
  if (detach === true) return;
  const verdict = checked.reduce<RecheckVerdict>((worst, { recheck: { verdict: next } }) => {
    return VERDICTS.indexOf(next) > VERDICTS.indexOf(worst) ? next : worst;
  }, 'sound');
  invocation.show({ verdict, transfers: checked }, () => checked.map(inWords).join(''));
  if (EXIT_CODES[verdict] !== EXIT.ok) throw new BadVerdict(verdict);
}

/** Those that are whole come first; if none is, the peer says to the first why not. */
async function copiesOf(
  client: ControlClient,
  [group, file]: readonly [string, string | undefined],
): Promise<readonly TransferView[]> {
  const { items } = await client.list<TransferView>('/transfers');
  const named =
    file === undefined
      ? items.filter(({ transferId }) => transferId.startsWith(group))
      : items.filter((transfer) => transfer.group === group && transfer.file === file);
  const whole = named.filter(({ completedAt }) => completedAt !== null);
  if (file === undefined && named.length === 1) return named;
  if (file !== undefined && named.length > 0) return whole.length > 0 ? whole : named.slice(0, 1);
  const what = file === undefined ? `no one transfer whose id begins with ${group}` : `no copy of ${file} of ${group}`;
  throw new CommandRefused(
    problemOf('transfer_not_found', { detail: `This peer has ${what}: transfers shows what it has.` }),
  );
}

/** Shows progress until the recheck is over. */
async function followRecheck(
  begun: TransferView,
  { client, invocation }: { client: ControlClient; invocation: Invocation },
): Promise<CheckedTransfer> {
  const { transferId, recheck: started } = begun;
  const display = new ProgressDisplay(invocation.terminal);
  let transfer = begun;
  try {
    for (;;) {
      if (transfer.recheck === null || transfer.recheck.startedAt !== started?.startedAt) {
        throw new RecheckCalledOff(transferId);
      }
      if (isOver(transfer)) return transfer;
      display.show(transfer);
      await delay(LOOK_AGAIN_MS, undefined, { signal: invocation.interrupt });
      transfer = await client.view<TransferView>(`/transfers/${encodeURIComponent(transferId)}`);
    }
  } catch (error) {
    throw invocation.interrupt.aborted ? new StoppedWatching(transferId, invocation) : error;
  } finally {
    display.end();
  }
}

function isOver(transfer: TransferView): transfer is CheckedTransfer {
  return transfer.recheck !== null && transfer.recheck.verdict !== null;
}

function inWords({ group, file, path, reason, recheck: found }: CheckedTransfer): string {
  const { verdict, checkedPieces, damagedPieces, sha1Mismatches } = found;
  const lines = [];
  if (verdict === 'sound') lines.push(`${path} is ${file} of ${group}: all of its ${checkedPieces} pieces are sound.`);
  else if (verdict === 'repaired') {
    lines.push(`${path} was damaged in ${damagedPieces} of ${checkedPieces} pieces, and is repaired.`);
  } else lines.push(`${path} is ${verdict}.`, `${reason?.detail ?? ''} ${reason?.action ?? ''}`.trim());
  for (const name of sha1Mismatches) {
    lines.push(`The SHA-1 of ${name} is not what was said when it was shared, although every piece of it is.`);
  }
  return lines
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');
}
