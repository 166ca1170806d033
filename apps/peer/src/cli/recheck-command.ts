// Owns `recheck`: which copies of this peer are meant, watching them being checked and repaired, and the verdict as words and as
// exit code. Several copies of one file are checked one after the other, and the worst of them decides.
import { RECHECK_VERDICTS, type RecheckVerdict } from '#domain/content-damage';
import type { RecheckView, TransferView } from '#wire/control-api';
import type { ControlClient } from './control-client.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Invocation } from './invocation.ts';
import { watchTransfer, type WatchParts } from './transfer-follower.ts';
import { transferPath, unknownTransfer, wholeTransferId } from './transfer-ids.ts';

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

/** recheck: by group and file, or by the beginning of a transfer's id. */
export async function recheck(
  invocation: Invocation,
  words: readonly [string, string | undefined],
  { repair, detach }: RecheckFlags,
): Promise<void> {
  const client = await invocation.client();
  const checked: CheckedTransfer[] = [];
  for (const transferId of await copiesOf(client, words)) {
    const { body } = await client.change('POST', `${transferPath(transferId)}/recheck`, { repair });
    const begun = body as TransferView;
    if (detach !== true) checked.push(await followRecheck(begun, { client, invocation }));
    else invocation.show(begun, () => `Under way. See it with: ${invocation.typed(`transfers ${transferId}`)}\n`);
  }
  if (detach === true) return;
  const verdict = checked.reduce<RecheckVerdict>((worst, { recheck: { verdict: next } }) => {
    return RECHECK_VERDICTS.indexOf(next) > RECHECK_VERDICTS.indexOf(worst) ? next : worst;
  }, 'sound');
  invocation.show({ verdict, transfers: checked }, () => checked.map(inWords).join(''));
  if (EXIT_CODES[verdict] !== EXIT.ok) throw new BadVerdict(verdict);
}

/** Ids of the copies that are whole, or were; if none is, the peer says to the first why not. */
async function copiesOf(
  client: ControlClient,
  [group, file]: readonly [string, string | undefined],
): Promise<readonly string[]> {
  if (file === undefined) return [await wholeTransferId(client, group)];
  const { items } = await client.list<TransferView>('/transfers');
  const [inGroup, name] = [group.normalize('NFC'), file.normalize('NFC')];
  const named = items.filter((transfer) => transfer.group === inGroup && transfer.file === name);
  if (named.length === 0) throw unknownTransfer(`no copy of ${file} of ${group}`);
  const whole = named.filter(({ completedAt }) => completedAt !== null);
  return (whole.length > 0 ? whole : named.slice(0, 1)).map(({ transferId }) => transferId);
}

/** Shows progress until the recheck is over. Throws `RecheckCalledOff`. */
async function followRecheck(begun: TransferView, parts: WatchParts): Promise<CheckedTransfer> {
  const { transferId, recheck: started } = begun;
  const outcomeOf = (transfer: TransferView): CheckedTransfer | null => {
    if (transfer.recheck === null || transfer.recheck.startedAt !== started?.startedAt) {
      throw new RecheckCalledOff(transferId);
    }
    return isOver(transfer) ? transfer : null;
  };
  return outcomeOf(begun) ?? watchTransfer(transferId, parts, outcomeOf);
}

function isOver(transfer: TransferView): transfer is CheckedTransfer {
  return transfer.recheck !== null && transfer.recheck.verdict !== null;
}

function inWords({ group, file, path, reason, recheck: found }: CheckedTransfer): string {
  const { verdict, checkedPieces, treeDifferences, sha1Mismatches } = found;
  const lines = [];
  if (verdict === 'sound') lines.push(`${path} is ${file} of ${group}: all of its ${checkedPieces} pieces are sound.`);
  else if (isOnlyTree(found)) lines.push(`${path} has all of its ${checkedPieces} pieces, and ${beside(verdict)}.`);
  else if (verdict === 'repaired') {
    lines.push(`${path} was damaged in ${found.damagedPieces} of ${checkedPieces} pieces, and is repaired.`);
  } else lines.push(`${path} is ${verdict}.`, `${reason?.detail ?? ''} ${reason?.action ?? ''}`.trim());
  if (treeDifferences.length > 0) {
    const lacks = verdict === 'repaired' ? 'lacked' : 'lacks';
    lines.push(`It ${lacks} these empty folders, or the right to run these files: ${treeDifferences.join(', ')}.`);
  }
  for (const name of sha1Mismatches) {
    lines.push(`The SHA-1 of ${name} is not what was said when it was shared, although every piece of it is.`);
  }
  return lines
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');
}

/** Nothing else is wrong with it, or was. */
function isOnlyTree({ damagedPieces, absentFiles, misfitFiles, treeDifferences }: RecheckView): boolean {
  return damagedPieces + absentFiles.length + misfitFiles.length === 0 && treeDifferences.length > 0;
}

function beside(verdict: RecheckVerdict): string {
  return verdict === 'repaired' ? 'what differed beside them was put right' : 'is not as it was shared beside them';
}
