// Owns the HTTP port for operators: health, status, digests and metrics. Read-only, no names and no secrets.
import { Controller, Get, Header, HttpException, Query } from '@nestjs/common';
import { FIGURES_TYPE } from '#metrics/figures';
import { type KeptSnapshot, Replica } from '../replica/replica.ts';
import { TrackerMetrics } from './metrics.ts';

/** GET /status. Offsets count records from 0; root and digest are hex. */
export interface TrackerStatus {
  readonly trackerId: string;
  readonly logId: string | null;
  readonly ready: boolean;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly appliedOffset: number;
  readonly endOffset: number;
  readonly logSilentMs: number;
  /** Why the log takes no records now, in the words of its driver; null while nothing speaks against it. */
  readonly logProblem: string | null;
  readonly root: string;
  readonly digest: string;
  readonly rulesVersion: number;
  /** The newest rules that this build knows: those in force may become that. */
  readonly newestRulesVersion: number;
  /** How many records the latest checkpoint covers that agrees with this tracker. */
  readonly checkpointSize: number;
  /** Its snapshots, newest first: the offset of the last record in each, and a hash that equal states share. */
  readonly snapshots: readonly KeptSnapshot[];
}

/** The id of this tracker, for injection. */
export class TrackerId {
  readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
}

@Controller()
export class StatusController {
  readonly #replica: Replica;
  readonly #metrics: TrackerMetrics;
  readonly #trackerId: TrackerId;

  constructor(replica: Replica, metrics: TrackerMetrics, trackerId: TrackerId) {
    this.#replica = replica;
    this.#metrics = metrics;
    this.#trackerId = trackerId;
  }

  @Get('health/live')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('health/ready')
  ready(): { status: 'ready' } {
    const { readiness } = this.#replica;
    if (!readiness.ready) {
      const { reason, detail } = readiness;
      throw new HttpException({ status: 'unready', reason, detail }, 503);
    }
    return { status: 'ready' };
  }

  @Get('status')
  status(): TrackerStatus {
    const replica = this.#replica;
    const { readiness, state } = replica;
    return {
      trackerId: this.#trackerId.value,
      logId: state.logId,
      ready: readiness.ready,
      reason: readiness.ready ? null : readiness.reason,
      detail: readiness.ready ? null : readiness.detail,
      appliedOffset: replica.appliedOffset,
      endOffset: replica.endOffset,
      logSilentMs: replica.logSilentMs(),
      logProblem: replica.logProblem,
      root: replica.root,
      digest: replica.digest,
      rulesVersion: state.rulesVersion,
      newestRulesVersion: replica.newestRulesVersion,
      checkpointSize: replica.coveredSize,
      snapshots: replica.snapshots,
    };
  }

  /** Root and effect digest after the record at an offset: each of the last million, one in 1,024 before that. */
  @Get('digest')
  digest(@Query('at') at: string | undefined): { offset: number; root: string; digest: string } {
    const offset = at !== undefined && /^\d{1,15}$/.test(at) ? Number(at) : null;
    if (offset === null) throw new HttpException({ code: 'invalid_request', detail: 'give at=<offset>' }, 400);
    const digest = this.#replica.digestAt(offset);
    const root = this.#replica.rootAt(offset);
    if (digest === null || root === null) {
      throw new HttpException(noDigest(offset, this.#replica.appliedOffset), 404);
    }
    return { offset, root, digest };
  }

  @Get('metrics')
  @Header('content-type', FIGURES_TYPE)
  metrics(): Promise<string> {
    return this.#metrics.figures.text();
  }
}

function noDigest(offset: number, appliedOffset: number): { code: string; detail: string } {
  const detail =
    offset > appliedOffset
      ? `applied up to offset ${appliedOffset} so far`
      : `offset ${offset} is no longer held: ask for one of the last million, or one that leaves 1023 when divided by 1024`;
  return { code: 'not_found', detail };
}
