// Owns how the sources of one download are dialled: by which worker, so that all of them have as much to do.
import type { DownloadContext } from './download-context.ts';
import type { SourceTable } from './source-table.ts';
import type { DownloadRequest } from './transfer-engine.ts';

type Parts = Pick<DownloadContext, 'fleet' | 'now' | 'nextConnection' | 'number' | 'random'>;

export class SourceDialling {
  readonly #request: Pick<DownloadRequest, 'contentId' | 'share'>;
  readonly #sources: SourceTable;
  readonly #parts: Parts;

  constructor(request: Pick<DownloadRequest, 'contentId' | 'share'>, sources: SourceTable, parts: Parts) {
    this.#request = request;
    this.#sources = sources;
    this.#parts = parts;
  }

  /** Dials every source that is due. */
  dialDue(grant: Uint8Array): void {
    const { fleet, now, nextConnection, number } = this.#parts;
    const running = [...Array(fleet.laneCount).keys()].filter((lane) => fleet.isRunning(lane));
    if (running.length === 0) return;
    for (let due = this.#sources.due(now()); due.length > 0; due = this.#sources.due(now())) {
      for (const entry of due) {
        const lane = this.#leastBusyLane(running);
        const connection = this.#sources.dialled(entry, { id: nextConnection(), lane }, now());
        const { peerId, addresses } = entry.source;
        const { contentId, share } = this.#request;
        const asked = { download: number, groupId: share.groupId, contentId, grant };
        fleet.say(lane, { kind: 'dial', request: { connection: connection.id, peerId, addresses, ...asked } });
      }
    }
  }

  #leastBusyLane(running: readonly number[]): number {
    const counts = new Map(running.map((lane) => [lane, 0]));
    for (const { lane } of this.#sources.connections()) counts.set(lane, (counts.get(lane) ?? 0) + 1);
    const start = Math.floor(this.#parts.random() * running.length);
    const inTurn = [...running.slice(start), ...running.slice(0, start)];
    return inTurn.reduce((best, lane) => ((counts.get(lane) ?? 0) < (counts.get(best) ?? 0) ? lane : best));
  }
}
