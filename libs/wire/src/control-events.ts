// Owns the events of a peer as the control endpoint shows them, as classes that class-validator checks.
import { Type } from 'class-transformer';
import { IsArray, IsIn, IsInt, IsObject, IsRFC3339, ValidateNested } from 'class-validator';

/** What GET /events tells of. */
export const PEER_EVENT_TYPES = [
  'transfer_changed',
  'transfer_removed',
  'damage_found',
  'session_changed',
  'group_changed',
  'tracker_changed',
  'trackers_disagree',
  'outage_changed',
  'tracker_key_changed',
  'reachability_changed',
  'reset',
] as const;

/** One of `PEER_EVENT_TYPES`. */
export type PeerEventType = (typeof PEER_EVENT_TYPES)[number];

/** One event; `reset` says that older ones than asked for are gone: read the views anew. */
export class PeerEventView {
  @IsInt()
  id!: number;

  @IsRFC3339()
  time!: string;

  @IsIn(PEER_EVENT_TYPES)
  type!: PeerEventType;

  @IsObject()
  data!: object;
}

/** The long poll of /events; `last` is the next `since`. */
export class PeerEventListView {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => PeerEventView)
  items!: PeerEventView[];

  @IsInt()
  last!: number;
}
