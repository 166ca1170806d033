// Owns the bytes of a replicated state: rows in blocks of bounded size, every table in an order of its own, so that equal
// states have equal bytes however they came to be and whatever order they iterate in. Integers are big-endian.
//
//   block      = row*                               at least one row, and no more once there are 64 KiB
//   row        = 1 head | 2 user | 3 session | 4 group | 5 member | 6 request | 7 share | 8 seeder | 9 downloader
//              | 10 tracker | 11 checkpoint | 12 outcome | 13 renewed | 14 copies | 15 newest | 16 older
//                                                                                 (the number is a u8)
//   head       = size:u64 rules:u64 logTimeMs:u64 logId           size = appliedOffset + 1
//   logId      = 0 | 1 id
//   user       = name createdOffset:u64 credentialOffset:u64 commitment:id          by name
//   session    = peer:id offset:u64 user startedAtMs:u64                            by peer id, with those of row 13
//   renewed    = session renewedAtMs:u64                     a session that was renewed after it began
//   group      = name offset:u64 owner                                              by name; then what is in it:
//   copies     = copies:u64                                  of a group that wants copies
//   member, request = user sinceOffset:u64 sinceMs:u64                              by user
//   share      = file offset:u64 content sharedBy sharedAtMs:u64                    by file; then who has it:
//   newest     = share version:u64 lastVersion:u64 sharedFirstBy    a share that came after others, in the place of row 7
//   older      = share version:u64                  after its newest, and who has that; by version; then who has it:
//   seeder, downloader = peer:id user                                               by peer id
//   content    = id totalBytes:u64 pieceBytes:u64 pieceCount:u64 hash:u8            0 for sha1, 1 for sha256
//   tracker    = trackerId:id publicKey address                                     by id
//   checkpoint = offset:u64 trackerId:id                                            by offset
//   outcome    = offset:u64 key (0 | 1 peer:id) content:text came                   by offset
//   came       = 0 reason | 1 flags:u8 [session:u64] [group:u64] [group:u64 share:u64 content] [version:u64]
//                                                                                   flags 1, 2, 4 and 8
//   id         = 32*u8            name, user, owner, file, key, reason, publicKey, address = text
//   text       = as ByteWriter.anyText has it, compared by code units
import type { SmallMap } from '#domain/small-map';
import {
  emptyState,
  type Group,
  type Membership,
  type Session,
  type State,
  type TrackerEntry,
  type User,
} from '#domain/state';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { KeptBytes } from './kept-bytes.ts';
import { readOutcome, writeOutcome } from './outcome-row.ts';
import { isShareRow, rowsOfShares, type WriteRow } from './share-rows.ts';
import { ID_BYTES, readIdIfAny, sortedKeys, writeIdIfAny } from './state-fields.ts';
import { UnreadGroup } from './unread-group.ts';

const BLOCK_BYTES = 64 * 1024;

const ROW = {
  head: 1,
  user: 2,
  session: 3,
  group: 4,
  member: 5,
  request: 6,
  tracker: 10,
  checkpoint: 11,
  outcome: 12,
  renewedSession: 13,
  copies: 14,
} as const;

/** The blocks of a state. It must not change before the last one is taken. */
export function* encodeState(state: State): Generator<Uint8Array> {
  let block = new ByteWriter();
  for (const write of rowsOf(state)) {
    write(block);
    if (block.length < BLOCK_BYTES) continue;
    yield block.finish();
    block = new ByteWriter();
  }
  if (block.length > 0) yield block.finish();
}

function* rowsOf(state: State): Generator<WriteRow> {
  yield (to) => writeHead(to, state);
  for (const user of inOrder(state.users)) yield (to) => writeUser(to, user);
  for (const session of inOrder(state.sessions)) yield (to) => writeSession(to, session);
  for (const group of inOrder(state.groups)) yield* rowsOfGroup(group);
  for (const tracker of inOrder(state.trackers)) yield (to) => writeTracker(to, tracker);
  for (const [offset, trackerId] of [...state.checkpoints].toSorted(([left], [right]) => left - right)) {
    yield (to) => to.u8(ROW.checkpoint).u64(offset).hex(trackerId, ID_BYTES);
  }
  for (const remembered of [...state.outcomes].toSorted(([, left], [, right]) => left.offset - right.offset)) {
    yield (to) => writeOutcome(to.u8(ROW.outcome), remembered);
  }
}

function* rowsOfGroup(group: Group): Generator<WriteRow> {
  yield (to) => to.u8(ROW.group).anyText(group.name).u64(group.id).anyText(group.owner);
  if (group.copies > 0) yield (to) => to.u8(ROW.copies).u64(group.copies);
  for (const user of sortedKeys(group.members)) {
    yield (to) => writeMembership(to.u8(ROW.member), user, group.members.get(user)!);
  }
  for (const user of sortedKeys(group.requests)) {
    yield (to) => writeMembership(to.u8(ROW.request), user, group.requests.get(user)!);
  }
  const unread = group instanceof UnreadGroup ? group.unreadRows() : null;
  yield* unread ?? rowsOfShares(group.shares);
}

function* inOrder<Entity>(table: ReadonlyMap<string, Entity>): Generator<Entity> {
  for (const key of sortedKeys(table)) yield table.get(key)!;
}

function writeHead(to: ByteWriter, { appliedOffset, rulesVersion, logTimeMs, logId }: State): void {
  to.u8(ROW.head)
    .u64(appliedOffset + 1)
    .u64(rulesVersion)
    .u64(logTimeMs);
  writeIdIfAny(to, logId);
}

function writeUser(to: ByteWriter, { name, createdOffset, credentialOffset, commitment }: User): void {
  to.u8(ROW.user).anyText(name).u64(createdOffset).u64(credentialOffset).hex(commitment, ID_BYTES);
}

/** Before sessions were renewed there was no such row: a state without them has the same bytes as then. */
function writeSession(to: ByteWriter, { peerId, id, user, startedAtMs, renewedAtMs }: Session): void {
  const isRenewed = renewedAtMs !== startedAtMs;
  to.u8(isRenewed ? ROW.renewedSession : ROW.session)
    .hex(peerId, ID_BYTES)
    .u64(id)
    .anyText(user)
    .u64(startedAtMs);
  if (isRenewed) to.u64(renewedAtMs);
}

function writeMembership(to: ByteWriter, user: string, { sinceOffset, sinceMs }: Membership): void {
  to.anyText(user).u64(sinceOffset).u64(sinceMs);
}

function writeTracker(to: ByteWriter, { trackerId, publicKey, address }: TrackerEntry): void {
  to.u8(ROW.tracker).hex(trackerId, ID_BYTES).anyText(publicKey).anyText(address);
}

/** Puts a state together from its blocks, in order. What it is given may be damaged: it says so and never throws. */
export class StateReader {
  #state = emptyState();
  #group: UnreadGroup | null = null;
  readonly #kept = new KeptBytes();

  /** Takes in the next block; what is wrong with it, as the end of a sentence, or null. */
  take(block: Uint8Array): string | null {
    const from = new ByteReader(block);
    while (from.problem === null && from.remainingBytes > 0) this.#takeRow(from.u8(), from);
    return from.problem;
  }

  /** The state of all blocks so far. */
  get state(): State {
    return this.#state;
  }

  #takeRow(kind: number, from: ByteReader): void {
    const { users, sessions, trackers, checkpoints, outcomes } = this.#state;
    switch (kind) {
      case ROW.head:
        this.#state = { ...this.#state, ...readHead(from) };
        return;
      case ROW.user:
        return put(users, readUser(from), ({ name }) => name);
      case ROW.session:
        return put(sessions, readSession(from), ({ peerId }) => peerId);
      case ROW.renewedSession:
        return put(sessions, { ...readSession(from), renewedAtMs: from.u64() }, ({ peerId }) => peerId);
      case ROW.tracker:
        return put(trackers, readTracker(from), ({ trackerId }) => trackerId);
      case ROW.checkpoint:
        checkpoints.set(from.u64(), from.hex(ID_BYTES));
        return;
      case ROW.outcome:
        readOutcome(from, outcomes, this.#kept);
        return;
      case ROW.group:
        this.#group = readGroup(from, this.#kept);
        this.#state.groups.set(this.#group.name, this.#group);
        return;
      default:
        this.#takeRowOfGroup(kind, from);
    }
  }

  #takeRowOfGroup(kind: number, from: ByteReader): void {
    const group = this.#group;
    if (isShareRow(kind) && group !== null) group.takeShares(kind, from);
    else if (kind === ROW.member && group !== null) readMembership(from, group.members);
    else if (kind === ROW.request && group !== null) readMembership(from, group.requests);
    else if (kind === ROW.copies && group !== null) group.copies = from.u64();
    else from.problem = `has a row of kind ${kind} where none is expected`;
  }
}

function put<Key, Entity>(table: Map<Key, Entity>, entity: Entity, keyOf: (entity: Entity) => Key): void {
  table.set(keyOf(entity), entity);
}

function readHead(from: ByteReader): Pick<State, 'appliedOffset' | 'rulesVersion' | 'logTimeMs' | 'logId'> {
  return {
    appliedOffset: from.u64() - 1,
    rulesVersion: from.u64(),
    logTimeMs: from.u64(),
    logId: readIdIfAny(from),
  };
}

function readUser(from: ByteReader): User {
  return {
    name: from.anyText(),
    createdOffset: from.u64(),
    credentialOffset: from.u64(),
    commitment: from.hex(ID_BYTES),
  };
}

function readSession(from: ByteReader): Session {
  const peerId = from.hex(ID_BYTES);
  const [id, user, startedAtMs] = [from.u64(), from.anyText(), from.u64()];
  return { id, user, peerId, startedAtMs, renewedAtMs: startedAtMs };
}

function readGroup(from: ByteReader, kept: KeptBytes): UnreadGroup {
  const name = from.anyText();
  return new UnreadGroup({ name, id: from.u64(), owner: from.anyText() }, kept);
}

function readMembership(from: ByteReader, table: SmallMap<Membership>): void {
  const user = from.anyText();
  table.set(user, { sinceOffset: from.u64(), sinceMs: from.u64() });
}

function readTracker(from: ByteReader): TrackerEntry {
  return { trackerId: from.hex(ID_BYTES), publicKey: from.anyText(), address: from.anyText() };
}
