// Owns how a person names a transfer of the running peer: by the beginning of its id.
import type { TransferView } from '#wire/control-api';
import { problemOf } from '#wire/wire-error';
import { CommandRefused, type ControlClient } from './control-client.ts';

/** The one id that begins like this. Throws `CommandRefused` when none does, or several do. */
export async function wholeTransferId(client: ControlClient, beginning: string): Promise<string> {
  const { items } = await client.list<TransferView>('/transfers');
  const [transfer, ...others] = items.filter(({ transferId }) => transferId.startsWith(beginning));
  if (transfer === undefined) throw unknownTransfer(`no transfer whose id begins with ${beginning}`);
  if (others.length > 0) throw unknownTransfer(`${others.length + 1} transfers whose ids begin with ${beginning}`);
  return transfer.transferId;
}

/** The refusal of a transfer that was named, for the words that say what this peer has in its place. */
export function unknownTransfer(what: string): CommandRefused {
  const detail = `This peer has ${what}: transfers shows what it has.`;
  return new CommandRefused(problemOf('transfer_not_found', { detail }));
}

/** Where the control endpoint has a transfer. */
export function transferPath(transferId: string): string {
  return `/transfers/${encodeURIComponent(transferId)}`;
}
