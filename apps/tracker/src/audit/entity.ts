// Owns what a person can ask the history of: a user, a group, somebody's membership in one, or a file of one.
import type { Event } from '#domain/event';
import { BadInput } from '#identity/start-input';
import type { LogEntry } from './log-entry.ts';
import type { AuditedRecord } from './replay.ts';

/** One thing that the log tells of. */
export type Entity =
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'member'; readonly group: string; readonly user: string }
  | { readonly kind: 'file'; readonly group: string; readonly file: string };

const FORMS = 'user <name>, group <name>, member <group>/<user> or file <group>/<file>';

/** Reads an entity from its kind and its name. Throws BadInput. */
export function entityOf(kind: string, text: string): Entity {
  const name = text.normalize('NFC');
  switch (kind) {
    case 'user':
      return { kind, user: name };
    case 'group':
      return { kind, group: name };
    case 'member': {
      const [group, user] = halvesOf(name);
      return { kind, group, user };
    }
    case 'file':
      return { kind, ...groupAndFileOf(name) };
    default:
      throw new BadInput(`"${kind}" is nothing that has a history; write ${FORMS}`);
  }
}

/** Flags that name one thing, or leave it at everything. */
export interface EntityFlags {
  readonly user?: string;
  readonly group?: string;
  /** `<group>/<file>`. */
  readonly share?: string;
}

/** What flags name, or null for everything. Throws BadInput. */
export function entityIn({ user, group, share }: EntityFlags): Entity | null {
  if (share !== undefined && (user ?? group) !== undefined) {
    throw new BadInput('--share names its group already: leave out --group and --user');
  }
  if (share !== undefined) return entityOf('file', share);
  if (user !== undefined && group !== undefined) return entityOf('member', `${group}/${user}`);
  if (user !== undefined) return entityOf('user', user);
  return group === undefined ? null : entityOf('group', group);
}

/** A group and a file of it, from `<group>/<file>`. Throws BadInput. */
export function groupAndFileOf(text: string): { group: string; file: string } {
  const [group, file] = halvesOf(text.normalize('NFC'));
  return { group, file };
}

/** The effects of a record on an entity. */
export function effectsOn(entity: Entity, { record, applied }: AuditedRecord): Event[] {
  const sender = record?.actor.kind === 'peer' ? record.actor.user : null;
  return applied.events.filter((event) => isAbout(entity, event, sender));
}

/** Whether a refused record was about an entity. */
export function wasToBeAbout(entity: Entity, { actor, body }: LogEntry): boolean {
  const { group, user, file } = (body ?? {}) as { group?: unknown; user?: unknown; file?: unknown };
  switch (entity.kind) {
    case 'user':
      return user === entity.user || actor === entity.user;
    case 'group':
      return group === entity.group;
    case 'member':
      return group === entity.group && file === undefined && (user ?? actor) === entity.user;
    case 'file':
      return group === entity.group && file === entity.file;
  }
}

function isAbout(entity: Entity, event: Event, sender: string | null): boolean {
  const { group, file, user, owner } = event as { group?: string; file?: string; user?: string; owner?: string };
  // The event names the new owner; the one before is who sent the command, as nobody else may.
  const isOf = (name: string): boolean =>
    name === (user ?? owner) || (event.type === 'ownership_transferred' && name === sender);
  const isHere = entity.kind !== 'user' && group === entity.group;
  switch (entity.kind) {
    case 'user':
      return isOf(entity.user);
    case 'group':
      return isHere;
    case 'member':
      return isHere && file === undefined && (event.type === 'group_dissolved' || isOf(entity.user));
    case 'file':
      return isHere && (event.type === 'group_dissolved' || file === entity.file);
  }
}

function halvesOf(text: string): [string, string] {
  const [left, right, ...rest] = text.split('/');
  if (left && right && rest.length === 0) return [left, right];
  throw new BadInput(`"${text}" is no name in a group; write <group>/<name>`);
}
