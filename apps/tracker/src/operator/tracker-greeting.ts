// Owns asking a tracker of the log, where it registered, what its build knows. Whoever shows another key than the log has is not it.
import 'reflect-metadata';
import type { TLSSocket } from 'node:tls';
import { ClientTCP } from '@nestjs/microservices';
import { lastValueFrom, timeout } from 'rxjs';
import type { TrackerEntry } from '#domain/state';
import type { Identity } from '#identity/identity';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import { parseHostPort } from '#wire/host-port';
import { type HelloView, TRACKER_PATTERNS, type ViewReply } from '#wire/tracker-api';

/** What it said. */
export interface Greeted extends Pick<TrackerEntry, 'trackerId' | 'address'> {
  /** Whether it runs, as far as can be told from here. */
  readonly answers: boolean;
  /** The newest rules that its build knows; null when it does not say. */
  readonly newestRulesVersion: number | null;
}

const ANSWER_TIMEOUT_MS = 3_000;

/** Connects with the key of the tracker that is on this machine. Never rejects: one that cannot be reached does not answer. */
export async function greet({ trackerId, address }: TrackerEntry, identity: Identity): Promise<Greeted> {
  const place = parseHostPort(address);
  const silent = { trackerId, address, answers: false, newestRulesVersion: null };
  if (!place.ok) return silent;
  const client = new GreetingClient({ ...place.address, tlsOptions: mutualTlsOptions(identity) });
  try {
    const reply = await lastValueFrom(
      client.send<ViewReply<HelloView>>(TRACKER_PATTERNS.hello, {}).pipe(timeout(ANSWER_TIMEOUT_MS)),
    );
    if (client.shownId !== trackerId || reply.status !== 'accepted') return silent;
    return { ...silent, answers: true, newestRulesVersion: reply.view.newestRulesVersion ?? null };
  } catch {
    return silent;
  } finally {
    client.close();
  }
}

class GreetingClient extends ClientTCP {
  /** The id of the key that is shown at the other end, while there is one. */
  get shownId(): string | null {
    return this.socket === null ? null : idOfSocket(this.socket.netSocket as TLSSocket);
  }

  /** A connection that breaks is no news by itself: whoever waits for an answer hears of it. */
  override handleError(): void {}
}
