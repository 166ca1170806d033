// Owns reading what trackers report about themselves on their own HTTP ports.

/** GET /status of a tracker, as far as it is used here. */
export interface TrackerStatus {
  readonly trackerId: string;
  readonly logId: string | null;
  readonly ready: boolean;
  readonly appliedOffset: number;
  readonly endOffset: number;
  readonly digest: string;
  readonly root: string;
  /** Newest first. */
  readonly snapshots: readonly { readonly offset: number; readonly hash: string }[];
}

/** A tracker's effect digest after a record. */
export interface DigestAt {
  readonly offset: number;
  readonly digest: string;
}

/** GET /status. */
export async function trackerStatus({ http }: { http: string }): Promise<TrackerStatus> {
  return (await (await fetch(`${http}/status`)).json()) as TrackerStatus;
}

/** The digests of several trackers at the last offset that all of them have applied. */
export async function digestsAtSameOffset(trackers: readonly { http: string }[]): Promise<DigestAt[]> {
  const statuses = await Promise.all(trackers.map(trackerStatus));
  const offset = Math.min(...statuses.map((status) => status.appliedOffset));
  return Promise.all(trackers.map(({ http }) => digestAt(http, offset)));
}

/** GET /digest?at=<offset>. */
export async function digestAt(http: string, offset: number): Promise<DigestAt> {
  return (await (await fetch(`${http}/digest?at=${offset}`)).json()) as DigestAt;
}
