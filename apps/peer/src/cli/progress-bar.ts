// Owns the one line that is drawn over while long work runs. Only a terminal gets it; elsewhere a note is printed when
// something changes that a person would want to know, and nothing in between.
import type { TransferView } from '#wire/control-api';
import { formatBytes, formatPercent, formatSeconds } from './quantities.ts';
import type { Terminal } from './terminal.ts';

const BAR_CELLS = 24;
const ERASE_LINE = '\r\u001b[2K';

/** What a transfer waits for, as a sentence, or null while it moves. */
export function waitingFor({ state, reason }: Pick<TransferView, 'state' | 'reason'>): string | null {
  if (reason !== null) return `${state} (${reason.code}): ${reason.detail} ${reason.action}`;
  return state === 'paused' ? 'paused' : null;
}

/** A transfer in one line of at most `columns` characters. */
export function progressLine(transfer: TransferView, columns: number): string {
  const { file, state, verifiedBytes, wantedBytes: totalBytes } = transfer;
  const cells = totalBytes === 0 ? BAR_CELLS : Math.floor((verifiedBytes / totalBytes) * BAR_CELLS);
  const bar = `[${'#'.repeat(cells)}${'-'.repeat(BAR_CELLS - cells)}]`;
  const amount = `${formatPercent(verifiedBytes, totalBytes)} of ${formatBytes(totalBytes)}`;
  const line = [file, bar, amount, waitingFor(transfer) ?? rateOf(transfer) ?? state].join('  ');
  const characters = [...line];
  return characters.length < columns ? line : `${characters.slice(0, Math.max(0, columns - 2)).join('')}…`;
}

function rateOf({ state, bytesPerSecond, etaSeconds, peers }: TransferView): string | null {
  if (state !== 'downloading' || bytesPerSecond === 0) return null;
  const sources = peers.filter((peer) => peer.deliveredBytes > 0).length;
  const from = sources > 1 ? `  from ${sources} peers` : '';
  const rest = etaSeconds === null ? '' : `  ${formatSeconds(etaSeconds)} left`;
  return `${formatBytes(bytesPerSecond)}/s${rest}${from}`;
}

/** Shows a transfer as it changes. `end` leaves the cursor on an empty line. */
export class ProgressDisplay {
  readonly #terminal: Terminal;
  #drawn = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(transfer: TransferView): void {
    const { canRedraw, columns } = this.#terminal;
    const line = canRedraw ? progressLine(transfer, columns) : (waitingFor(transfer) ?? '');
    if (line === this.#drawn) return;
    this.#drawn = line;
    if (canRedraw) this.#terminal.note(ERASE_LINE + line);
    else if (line !== '') this.#terminal.note(`${line}\n`);
  }

  end(): void {
    if (this.#terminal.canRedraw && this.#drawn !== '') this.#terminal.note(ERASE_LINE);
    this.#drawn = '';
  }
}
