// Owns the manifests of content that is being read: waited for while they are on their way, decoded once and not for every reader,
// because one of many files takes long to read.
import type { Manifest } from '#domain/manifest';
import { STREAM_STALL_TIMEOUT_MS } from '#wire/limits';
import { decodeManifest } from '#wire/manifest-codec';
import type { Refused } from '#wire/tracker-api';
import type { ChangeWaiters } from './change-waiters.ts';
import { unavailable } from './range-reader.ts';
import type { Transfer } from './transfer-set.ts';

/** Of so many contents the manifest is kept for the next reader. */
const KEPT_MAX = 2;
/** It is looked again after so long, whatever was missed of what has changed. */
const LOOK_MS = 1_000;

/** How it is waited for a manifest. */
interface ManifestWait {
  /** Why it is not waited for any more; null while it is. */
  readonly refusal: () => Refused | null;
  /** Woken when something of a transfer has changed. */
  readonly changes: Pick<ChangeWaiters, 'until'>;
}

export class StreamedManifests {
  /** Used longest ago first. */
  readonly #decoded = new Map<string, Manifest>();

  /** The manifest of a transfer's content, once it is there. */
  async of(transfer: Transfer, { refusal, changes }: ManifestWait): Promise<Manifest | Refused> {
    const { contentId } = transfer;
    const known = contentId === null ? undefined : this.#decoded.get(contentId);
    if (contentId === null) return unavailable('It is not known yet what it is.');
    if (known !== undefined) return this.#keep(contentId, known);
    const untilMs = performance.now() + STREAM_STALL_TIMEOUT_MS;
    for (;;) {
      const refused = refusal();
      if (refused !== null) return refused;
      const bytes = await transfer.manifest();
      const decoded = bytes === null ? null : decodeManifest(bytes);
      if (decoded !== null && !decoded.ok) return unavailable('Its manifest cannot be read.');
      if (decoded !== null) return this.#keep(contentId, decoded.manifest);
      if (performance.now() > untilMs) return unavailable('Nobody who has it sends its manifest.');
      await changes.until(() => true, LOOK_MS);
    }
  }

  #keep(contentId: string, manifest: Manifest): Manifest {
    this.#decoded.delete(contentId);
    this.#decoded.set(contentId, manifest);
    const [oldest = ''] = this.#decoded.keys();
    if (this.#decoded.size > KEPT_MAX) this.#decoded.delete(oldest);
    return manifest;
  }
}
