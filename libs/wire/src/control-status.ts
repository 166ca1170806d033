// Owns how the control endpoint shows a peer itself: who it is, who is logged in on it, and how it stands with its trackers.
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import { OutageView, TrackerTroubleView } from './control-outages.ts';
import { EndedSessionView } from './control-sessions.ts';
import { KeepingView, ScrubView } from './control-upkeep.ts';
import { IsDigest } from './name-validation.ts';

/** How a peer stands with a tracker. */
export const TRACKER_STATES = ['connecting', 'ready', 'catching_up', 'unready', 'unreachable', 'refused'] as const;

/**
 * `catching_up`: connected, and still replaying the log. `unready`: connected, and answers nothing; `trouble` says why.
 * `refused`: it showed another key than the pinned one.
 */
export type TrackerState = (typeof TRACKER_STATES)[number];

/** A tracker of tracker_info.txt, as this peer sees it. */
export class TrackerView {
  /** As in tracker_info.txt. */
  @IsString()
  address!: string;

  /** `sha256:` and the hash of its key; null until one is known. */
  @IsOptional()
  @IsString()
  fingerprint!: string | null;

  @IsIn(TRACKER_STATES)
  state!: TrackerState;

  /** Whether commands and views go to this one at the moment. */
  @IsBoolean()
  active!: boolean;

  @IsOptional()
  @IsInt()
  appliedOffset!: number | null;

  /** What keeps it from taking commands, by its last answer; null while nothing does. */
  @IsOptional()
  @ValidateNested()
  @Type(() => TrackerTroubleView)
  trouble!: TrackerTroubleView | null;
}

/** GET /status. */
export class StatusView {
  @IsDigest()
  peerId!: string;

  /** Who is logged in on this peer. */
  @IsOptional()
  @IsString()
  user!: string | null;

  /** The session before, when it ended without a logout here; null once somebody logs in. */
  @IsOptional()
  @ValidateNested()
  @Type(() => EndedSessionView)
  endedSession!: EndedSessionView | null;

  /** Where this peer accepts connections of other peers, `host:port`. */
  @IsString()
  listen!: string;

  /** Where others are told to reach it. */
  @IsString()
  advertise!: string;

  /** Whether a tracker could connect to `advertise`; null while unknown. */
  @IsOptional()
  @IsBoolean()
  reachable!: boolean | null;

  @IsOptional()
  @IsDigest()
  logId!: string | null;

  @IsIn(['tls', 'plain'])
  transport!: 'tls' | 'plain';

  /** Why commands fail now, as far as this peer knows; null while nothing speaks against them. */
  @IsOptional()
  @ValidateNested()
  @Type(() => OutageView)
  outage!: OutageView | null;

  /** The search for damage in what this peer seeds. */
  @ValidateNested()
  @Type(() => ScrubView)
  scrub!: ScrubView;

  /** What this peer keeps for its groups by itself; null when it was not started to do that. */
  @IsOptional()
  @ValidateNested()
  @Type(() => KeepingView)
  keeping!: KeepingView | null;

  @IsArray()
  @ArrayMaxSize(64)
  @ValidateNested({ each: true })
  @Type(() => TrackerView)
  trackers!: TrackerView[];
}
