// Owns how a stream of server-sent events splits into events, as far as a peer sends them: `id`, `event` and `data` on lines that end
// with a newline, a blank line after each event, comments with a colon. An id alone says where the stream begins. Pure; text comes
// in any pieces.

/** One event as it stood in the stream. */
export interface EventFrame {
  /** Null for what has no number: progress, and changes of availability. */
  readonly id: string | null;
  readonly type: string;
  /** Null for an id that stands alone. */
  readonly data: string | null;
}

/** Takes text as it comes, and gives each event once its blank line is there. */
export class EventFrames {
  #rest = '';

  take(text: string): EventFrame[] {
    const blocks = `${this.#rest}${text}`.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    return blocks.map(frameOf).filter((frame) => frame !== null);
  }
}

/** Null for a comment, which only says that the peer is still there. */
function frameOf(block: string): EventFrame | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
    const before = fields.get(name);
    fields.set(name, name === 'data' && before !== undefined ? `${before}\n${value}` : value);
  }
  const [id, data] = [fields.get('id') ?? null, fields.get('data') ?? null];
  return id === null && data === null ? null : { id, type: fields.get('event') ?? 'message', data };
}
