// Trackers in this process and peers that talk to them through Nest's own client over TLS, for the tracker's tests.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { ClientTCP } from '@nestjs/microservices';
import { firstValueFrom, type Observable } from 'rxjs';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { mutualTlsOptions } from '#identity/tls';
import type { About, ProcessLog } from '#program/process-log';
import type { CommandReply, Page, PeerCommandName, PresenceView, Push, ReplyHead, ViewReply } from '#wire/tracker-api';
import { CONTENT_ID, SMALL_CONTENT } from '../unit/domain/log-of.ts';
import type { CommandLog } from '../../apps/tracker/src/command-log/command-log.ts';
import { type RunningTracker, startTracker, type TrackerParts } from '../../apps/tracker/src/tracker.module.ts';

// A connection that ends is a fact in these tests, not news for the console.
Logger.overrideLogger(false);

/** Remembers the lines of a log, so that a test can look for secrets in them. */
export class RecordedLog implements ProcessLog {
  readonly lines: string[] = [];
  readonly problems: string[] = [];

  debug(words: string, about: About = {}): void {
    this.lines.push(`${words} ${JSON.stringify(about)}`);
  }

  info(words: string, about: About = {}): void {
    this.debug(words, about);
  }

  warn(words: string, about: About = {}): void {
    this.debug(words, about);
    this.problems.push(`${words} ${JSON.stringify(about)}`);
  }

  error(words: string, about: About = {}): void {
    this.warn(words, about);
  }

  fatal(words: string, about: About = {}): void {
    this.warn(words, about);
  }
}

export interface TestTracker extends RunningTracker {
  readonly identity: Identity;
  readonly processLog: RecordedLog;
}

/** What a test says of a tracker. */
type TrackerGiven = Partial<Pick<TrackerParts, 'identity' | 'now' | 'auditKeysFolder' | 'http'>> & {
  readonly isReady?: boolean;
};

/** Stops everything that a test began, newest first. */
export class Cleanup {
  readonly #steps: Array<() => unknown> = [];

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step();
  }

  async directory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'cohort-test-'));
    this.add(() => rm(directory, { recursive: true, force: true }));
    return directory;
  }

  async tracker(log: CommandLog, { isReady = true, identity, ...given }: TrackerGiven = {}): Promise<TestTracker> {
    const own = identity ?? (await loadOrCreateIdentity(await this.directory()));
    const processLog = new RecordedLog();
    const anywhere = { host: '127.0.0.1', port: 0 };
    const parts = { identity: own, log, rpc: anywhere, http: anywhere, address: `${own.id.slice(0, 8)}:1`, processLog };
    const tracker = await startTracker({ ...parts, ...given });
    this.add(() => tracker.stop());
    if (isReady) await tracker.ready;
    return { ...tracker, identity: own, processLog };
  }

  async peer(tracker: Pick<RunningTracker, 'rpc'>, identity?: Identity): Promise<TestPeer> {
    const own = identity ?? (await loadOrCreateIdentity(await this.directory()));
    const peer = new TestPeer(own, tracker.rpc);
    this.add(() => peer.close());
    await peer.connect();
    return peer;
  }
}

export class TestPeer {
  readonly identity: Identity;
  readonly client: ClientTCP;
  seenOffset = -1;
  user: string | null = null;

  constructor(identity: Identity, { host, port }: { host: string; port: number }) {
    this.identity = identity;
    this.client = new ClientTCP({ host, port, tlsOptions: mutualTlsOptions(identity) });
    this.client.on('error', () => undefined);
  }

  get id(): string {
    return this.identity.id;
  }

  async connect(): Promise<void> {
    await this.client.connect();
  }

  close(): void {
    this.client.close();
  }

  async command(
    name: PeerCommandName,
    body: object,
    about: { commandId?: string; seenOffset?: number; user?: string | null } = {},
  ): Promise<CommandReply> {
    const reply = await this.send<CommandReply>(name, {
      commandId: about.commandId ?? randomUUID(),
      correlationId: 'test',
      seenOffset: about.seenOffset ?? this.seenOffset,
      user: about.user ?? this.user,
      body,
    });
    if ('offset' in reply && reply.offset !== null) this.seenOffset = Math.max(this.seenOffset, reply.offset);
    return reply;
  }

  /** Sends a command that has to be accepted. */
  async accepted(name: PeerCommandName, body: object): Promise<Extract<CommandReply, { status: 'accepted' }>> {
    const reply = await this.command(name, body);
    if (reply.status !== 'accepted') throw new Error(`${name} was not accepted: ${JSON.stringify(reply)}`);
    return reply;
  }

  async signUp(user: string, password = 'correct horse'): Promise<void> {
    await this.accepted('create_user', { user, password });
    await this.accepted('login', { user, password });
    this.user = user;
  }

  async view<View>(pattern: string, payload: object = {}): Promise<View> {
    const reply = await this.send<ViewReply<View>>(pattern, { seenOffset: this.seenOffset, ...payload });
    if (reply.status !== 'accepted') throw new Error(`${pattern} was not accepted: ${JSON.stringify(reply)}`);
    return reply.view;
  }

  async present(payload: object): Promise<PresenceView> {
    const reply = await this.send<ViewReply<PresenceView>>('presence', payload);
    if (reply.status !== 'accepted') throw new Error(`presence was not accepted: ${JSON.stringify(reply)}`);
    return reply.view;
  }

  async list<Item>(pattern: string, payload: object = {}): Promise<readonly Item[]> {
    return (await this.view<Page<Item>>(pattern, { limit: 1000, ...payload })).items;
  }

  send<Reply extends object = ReplyHead>(pattern: string, payload: object): Promise<Reply> {
    return firstValueFrom(this.client.send<Reply>(pattern, payload));
  }

  subscribe(): Observable<Push> {
    return this.client.send<Push>('subscribe', {});
  }
}

/** A share of these tests, as commands and views name it. */
export const file = { group: 'films', file: 'a.mkv' };
/** What publishes it. */
export const upload = { ...file, contentId: CONTENT_ID, ...SMALL_CONTENT };
/** A presence of a peer that nobody can reach. */
export const here = { addresses: ['127.0.0.1:1'], downloading: [], transport: 'tls' };

/** A group of alice's with bob as a member, each logged in on a peer. */
export async function films(
  cleanup: Cleanup,
  tracker: Pick<RunningTracker, 'rpc'>,
): Promise<{ alice: TestPeer; bob: TestPeer }> {
  const [alice, bob] = [await cleanup.peer(tracker), await cleanup.peer(tracker)];
  await alice.signUp('alice');
  await bob.signUp('bob');
  await alice.accepted('create_group', { group: 'films' });
  await bob.accepted('join_group', { group: 'films' });
  await alice.accepted('accept_request', { group: 'films', user: 'bob' });
  return { alice, bob };
}

/** Collects what is pushed to a peer, from `subscribed` on. */
export async function pushesOf(peer: TestPeer): Promise<Push[]> {
  const pushes: Push[] = [];
  const subscribed = Promise.withResolvers<void>();
  peer.subscribe().subscribe({
    next: (push) => {
      pushes.push(push);
      subscribed.resolve();
    },
    error: subscribed.reject,
  });
  await subscribed.promise;
  return pushes;
}

/** What the port for operators answers. */
export async function operatorPage({ http }: RunningTracker, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://${http.host}:${http.port}${path}`);
  return { status: response.status, body: await response.text() };
}

/** A message in the transport's framing. */
export function framed(pattern: string, json: string): string {
  const message = `{"pattern":"${pattern}","id":"${randomUUID()}","data":${json}}`;
  return `${message.length}#${message}`;
}

/** The reason or code of a reply that was refused, else 'accepted'. */
export function verdict(reply: { status: string; reason?: string; code?: string }): string {
  return reply.reason ?? reply.code ?? reply.status;
}
