// Owns how the control endpoint says what does not work: of one tracker, and of commands as a whole.
import { IsIn, IsString } from 'class-validator';
import { TRACKER_TROUBLES, type TrackerTroubleReason } from './tracker-trouble.ts';
import { type ErrorCode, ERRORS } from './wire-error.ts';

/** Why a tracker takes no commands. */
export class TrackerTroubleView {
  @IsIn(TRACKER_TROUBLES)
  reason!: TrackerTroubleReason;

  /** What it is, and what helps. */
  @IsString()
  detail!: string;
}

/** Why commands fail. */
export class OutageView {
  /** What a command would fail with. */
  @IsIn(Object.keys(ERRORS))
  code!: ErrorCode;

  /** What it is, what goes on meanwhile, and what helps. */
  @IsString()
  detail!: string;
}
