// Owns the one line that is drawn over while long work runs. Only a terminal gets it; elsewhere a note is printed when
// something changes that a person would want to know, and nothing in between.
import type { TransferView } from '#wire/control-api';
import { printable } from '#wire/printable-text';
import { formatBytes, formatPercent, formatSeconds, formatTime } from './quantities.ts';
import type { Terminal } from './terminal.ts';
import { shortened, textWidth } from './text-width.ts';

/** Cells of the bar, where the line has room for that many, for fewer, or for none. */
const BAR_CELLS = [24, 12, 0];
/** So much of a name tells files apart. */
const NAME_CELLS_MIN = 12;
const ERASE_LINE = '\r\u001b[2K';

/** What a transfer waits for, as a sentence, or null while it moves. */
export function waitingFor({ state, reason }: Pick<TransferView, 'state' | 'reason'>): string | null {
  if (reason === null) return state === 'paused' ? 'paused' : null;
  const { code, since, detail, action } = reason;
  return printable(`${state} (${code}) since ${formatTime(since)} UTC: ${detail} ${action}`);
}

/** A transfer in one line that leaves the last of `columns` cells free: with a shorter bar, or name, where there is less room. */
export function progressLine(transfer: TransferView, columns: number): string {
  const { file, state, verifiedBytes, wantedBytes } = transfer;
  const room = columns - 1;
  const done = formatPercent(verifiedBytes, wantedBytes);
  const news = waitingFor(transfer) ?? rateOf(transfer) ?? state;
  for (const cells of BAR_CELLS) {
    const rest = [...barOf(transfer, cells), `${done} of ${formatBytes(wantedBytes)}`, news].join('  ');
    const roomOfName = room - textWidth(rest) - 2;
    if (roomOfName >= Math.min(textWidth(file), NAME_CELLS_MIN)) return `${shortened(file, roomOfName)}  ${rest}`;
  }
  return shortened([shortened(file, NAME_CELLS_MIN), done, news].join('  '), room);
}

function barOf({ verifiedBytes, wantedBytes }: TransferView, cells: number): string[] {
  if (cells === 0) return [];
  const filled = wantedBytes === 0 ? cells : Math.floor((verifiedBytes / wantedBytes) * cells);
  return [`[${'#'.repeat(filled)}${'-'.repeat(cells - filled)}]`];
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
