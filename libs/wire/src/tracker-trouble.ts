// Owns why a tracker takes no commands while it runs: a closed set, as its own status, every reply and a peer's status show it.

/**
 * `catching_up`: it has not read the log to the end yet. `log_unavailable`: the log takes no records. `clock_skew`: its clock
 * is not the log's. `checkpoint_disputed`: trackers disagree on what the log comes to. `upgrade_required`: the log has rules
 * that this build does not know. `log_halted`: the log is not the one that was read before. `key_changed`: a peer does not trust the
 * key that it shows.
 */
export const TRACKER_TROUBLES = [
  'catching_up',
  'log_unavailable',
  'clock_skew',
  'checkpoint_disputed',
  'upgrade_required',
  'log_halted',
  'key_changed',
] as const;

/** Why a tracker takes no commands. */
export type TrackerTroubleReason = (typeof TRACKER_TROUBLES)[number];

/** Why a tracker takes no commands, and what helps, for a person to read. */
export interface TrackerTrouble {
  readonly reason: TrackerTroubleReason;
  readonly detail: string;
}
