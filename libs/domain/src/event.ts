// Owns the effects of accepted records. An event is a fact: `evolve` applies it without asking, trackers push from it, and
// the effect digest is chained over it.
import type { Checkpoint, CheckpointRuling } from './checkpoint.ts';
import type { PublishedData } from './command.ts';

/** Which version of a file it is about; left out for the first. */
interface OfVersion {
  version?: number;
}

/** Every effect, past tense. */
export type Event =
  | { type: 'log_started'; logId: string; rulesVersion: number }
  | { type: 'tracker_registered'; trackerId: string; publicKey: string; address: string }
  | ({ type: 'checkpoint_recorded'; trackerId: string } & Checkpoint)
  | { type: 'rules_activated'; rulesVersion: number }
  | { type: 'checkpoint_resolved'; offset: number; trackerId: string; counts: CheckpointRuling }
  | { type: 'user_created'; user: string; commitment: string }
  | { type: 'password_changed'; user: string; commitment: string }
  | { type: 'session_started'; user: string; peerId: string }
  | { type: 'session_renewed'; user: string; peerId: string }
  | { type: 'session_ended'; user: string; peerId: string }
  | { type: 'session_expired'; user: string; peerId: string }
  | { type: 'group_created'; group: string; owner: string }
  | { type: 'group_dissolved'; group: string; groupId: number }
  | { type: 'join_requested'; group: string; user: string }
  | { type: 'request_rejected'; group: string; user: string }
  | { type: 'member_joined'; group: string; user: string }
  | { type: 'member_left'; group: string; groupId: number; user: string }
  | { type: 'ownership_transferred'; group: string; user: string }
  | { type: 'copies_set'; group: string; copies: number }
  | ({ type: 'file_shared'; user: string; peerId: string } & PublishedData)
  | ({ type: 'version_shared'; user: string; peerId: string; version: number } & PublishedData)
  | ({ type: 'seeder_added'; group: string; file: string; user: string; peerId: string } & OfVersion)
  | ({ type: 'seeder_removed'; group: string; file: string; shareId: number; user: string; peerId: string } & OfVersion)
  | ({ type: 'share_removed'; group: string; file: string; shareId: number } & OfVersion)
  | ({
      type: 'download_allowed';
      group: string;
      file: string;
      shareId: number;
      user: string;
      peerId: string;
    } & OfVersion);
