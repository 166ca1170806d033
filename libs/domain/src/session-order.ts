// Owns in which order sessions end when nobody renews them: whoever was renewed longest ago first, and of those at one moment
// by peer id, so that every replica has the same order however it came by its sessions. A heap that is built when it is
// first asked for; what has ended or was renewed meanwhile is skipped when its turn comes.
import type { Session } from './state.ts';

/** So many entries more than there are sessions are borne before the heap is built anew. */
const STALE_ENTRIES_MAX = 1_024;

/** Sessions in the order in which they end unless they are renewed. */
export class SessionOrder {
  /** The least first; null before the first look. */
  #heap: Session[] | null = null;

  /** A session began, or is another one than before. */
  add(session: Session): void {
    if (this.#heap !== null) push(this.#heap, session);
  }

  /** Every session is another one than before. */
  startAnew(): void {
    this.#heap = null;
  }

  /** The session that was renewed longest ago. */
  first(sessions: ReadonlyMap<string, Session>): Session | undefined {
    const isBloated = this.#heap !== null && this.#heap.length > 2 * sessions.size + STALE_ENTRIES_MAX;
    if (this.#heap === null || isBloated) this.#heap = [...sessions.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
    for (;;) {
      const session = this.#heap[0];
      if (session === undefined || sessions.get(session.peerId) === session) return session;
      pop(this.#heap);
    }
  }
}

function isBefore(left: Session, right: Session): boolean {
  if (left.renewedAtMs !== right.renewedAtMs) return left.renewedAtMs < right.renewedAtMs;
  return left.peerId < right.peerId;
}

function push(heap: Session[], session: Session): void {
  let place = heap.length;
  for (let parent = (place - 1) >> 1; place > 0 && isBefore(session, heap[parent]!); parent = (place - 1) >> 1) {
    heap[place] = heap[parent]!;
    place = parent;
  }
  heap[place] = session;
}

function pop(heap: Session[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (child >= heap.length || !isBefore(heap[child]!, last)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = last;
}
