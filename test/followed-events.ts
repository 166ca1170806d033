// Owns following the events of a peer as a page does: one stream, its frames taken apart, and waiting for one that fits.
import { type ClientRequest, request } from 'node:http';
import type { ControlApi } from '../infra/quick-start/control-api.ts';

/** A frame of the stream: its id where it has one, its type, and what it tells. */
export interface Followed {
  readonly id: number | null;
  readonly type: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** How a stream begins: the groups that it watches, and the last event that was seen. */
export interface FollowOptions {
  readonly watch?: readonly string[];
  readonly lastEventId?: number;
}

/** A stream that is open. */
export class FollowedEvents {
  readonly seen: Followed[] = [];
  readonly #request: ClientRequest;
  readonly #over = Promise.withResolvers<void>();
  readonly #waiting = new Set<() => void>();

  private constructor(sent: ClientRequest) {
    this.#request = sent;
  }

  /** Resolves when the stream has begun. */
  static open({ url, token }: ControlApi, { watch = [], lastEventId }: FollowOptions = {}): Promise<FollowedEvents> {
    const query = new URLSearchParams(watch.map((group) => ['watch', group])).toString();
    const headers = {
      authorization: `Bearer ${token}`,
      ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(`${url}/api/v1/events?${query}`, { headers }, (response) => {
        const followed = new FollowedEvents(sent);
        if (response.statusCode !== 200) return reject(new Error(`the stream answers ${response.statusCode}`));
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const frames = (text + chunk).split('\n\n');
          text = frames.pop()!;
          for (const frame of frames) followed.#take(frame);
        });
        response.on('error', () => undefined);
        response.on('close', () => followed.#over.resolve());
        resolve(followed);
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  /** Resolves when the stream has ended. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** The first event that fits, past or to come. */
  async first(fits: (event: Followed) => boolean): Promise<Followed> {
    for (;;) {
      const found = this.seen.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  close(): void {
    this.#request.destroy();
  }

  #take(frame: string): void {
    const fields = new Map(frame.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
    if (!fields.has('event')) return;
    const told = JSON.parse(fields.get('data')!) as Pick<Followed, 'type' | 'time' | 'data'>;
    this.seen.push({ ...told, id: fields.has('id') ? Number(fields.get('id')) : null });
    for (const look of this.#waiting) look();
    this.#waiting.clear();
  }
}
