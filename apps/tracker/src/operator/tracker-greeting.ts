// Owns asking a tracker of the log, where it registered, what its build knows. Whoever shows another key than the log has is not it.
import 'reflect-metadata';
import type { TLSSocket } from 'node:tls';
import { ClientTCP, type TcpSocket } from '@nestjs/microservices';
import { lastValueFrom, timeout } from 'rxjs';
import type { TrackerEntry } from '#domain/state';
import type { Identity } from '#identity/identity';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import { parseHostPort } from '#wire/host-port';
import { type HelloView, TRACKER_PATTERNS, type ViewReply } from '#wire/tracker-api';

/** What it said. */
export interface Greeted extends Pick<TrackerEntry, 'trackerId' | 'address'> {
  /** Whether it showed its key, whatever it said: one that is busy, or has an older build, runs as well. */
  readonly runs: boolean;
  /** The newest rules that its build knows; null when it does not say. */
  readonly newestRulesVersion: number | null;
}

const ANSWER_TIMEOUT_MS = 3_000;

/** Connects with the key of the tracker that is on this machine. Never rejects: one that cannot be reached does not run. */
export async function greet({ trackerId, address }: TrackerEntry, identity: Identity): Promise<Greeted> {
  const place = parseHostPort(address);
  const silent = { trackerId, address, runs: false, newestRulesVersion: null };
  if (!place.ok) return silent;
  const client = new GreetingClient({ ...place.address, tlsOptions: mutualTlsOptions(identity) });
  try {
    const reply = await lastValueFrom(
      client.send<ViewReply<HelloView>>(TRACKER_PATTERNS.hello, {}).pipe(timeout(ANSWER_TIMEOUT_MS)),
    );
    const view = reply.status === 'accepted' ? reply.view : null;
    return client.shownId === trackerId
      ? { ...silent, runs: true, newestRulesVersion: view?.newestRulesVersion ?? null }
      : silent;
  } catch {
    return { ...silent, runs: client.shownId === trackerId };
  } finally {
    client.close();
  }
}

class GreetingClient extends ClientTCP {
  /** The id of the key that was shown at the other end, once there was one. */
  shownId: string | null = null;

  override registerConnectListener(socket: TcpSocket): void {
    super.registerConnectListener(socket);
    const connection = socket.netSocket as TLSSocket;
    connection.once('secureConnect', () => (this.shownId = idOfSocket(connection)));
  }

  /** A connection that breaks is no news by itself: whoever waits for an answer hears of it. */
  override handleError(): void {}
}
