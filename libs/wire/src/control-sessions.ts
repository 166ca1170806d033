// Owns how the control endpoint shows sessions: those that there are, and the one on this peer that ended unasked.
import { IsBoolean, IsIn, IsInt, IsOptional, IsRFC3339, IsString } from 'class-validator';
import { IsDigest } from './name-validation.ts';

/** Why a session ended without a logout on its peer. */
export const SESSION_END_REASONS = ['expired', 'ended_elsewhere'] as const;

/** One of `SESSION_END_REASONS`. */
export type SessionEndReason = (typeof SESSION_END_REASONS)[number];

/** A session that was on this peer and ended without a logout here. */
export class EndedSessionView {
  @IsString()
  user!: string;

  @IsIn(SESSION_END_REASONS)
  reason!: SessionEndReason;

  /** What it is, and what helps. */
  @IsString()
  detail!: string;
}

/** A session of the user, on this peer or another. */
export class SessionItem {
  @IsInt()
  sessionId!: number;

  @IsDigest()
  peerId!: string;

  @IsRFC3339()
  startedAt!: string;

  /** When it ends unless its peer renews it, which one that runs does by itself; null when it does not end by itself. */
  @IsOptional()
  @IsRFC3339()
  expiresAt!: string | null;

  /** Whether it is the session of this very peer. */
  @IsBoolean()
  current!: boolean;
}
