// Trackers without processes: the real domain over a log in memory, and who is online beside it. Each peer has a link of its
// own, which a test can cut or hold up, and through which it hears what trackers push.
import type { CommandData } from '#domain/command';
import { sharedContent } from '#domain/decide';
import { versionOf } from '#domain/share-versions';
import { readableGroup } from '#domain/views';
import { formatHostPort } from '#wire/host-port';
import type { PeerCommandName, SourcesView, SourceView } from '#wire/tracker-api';
import type { Source } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import type {
  CommandAnswer,
  LinkEvent,
  TrackerLink,
  ViewAnswer,
  WantedShare,
} from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { COMMITMENT, LogInMemory } from '../../domain/log-of.ts';
import { RecordedLink, type SentCommand } from '../control/recorded-ports.ts';
import { LOG_ID, TRACKER } from '../../../granting-tracker.ts';
import { grantFor, type TestPeer } from '../swarm/engine-harness.ts';

const UNAVAILABLE = { status: 'failed', code: 'tracker_unavailable' } as const;
const NOT_LOGGED_IN = { status: 'failed', code: 'not_logged_in' } as const;

/** The log that all links of a test share. */
export class PlayedTrackers {
  readonly log = LogInMemory.started();
  /** Who is online, with whatever is asked for. */
  readonly sources = new Map<string, SourceView>();
  /** Ids of shares that none of them has. */
  readonly absent = new Set<number>();

  isOnline({ peerId, user, addresses }: Source): void {
    this.sources.set(peerId, {
      ...{ peerId, user, role: 'seeder', transport: 'plain' },
      addresses: addresses.map((address) => formatHostPort(address)),
    });
  }
}

/** One peer's link. Its user exists, is logged in, and belongs to the group of the test. */
export class PlayedLink extends RecordedLink {
  readonly #trackers: PlayedTrackers;
  readonly #peer: TestPeer;
  readonly #listeners = new Set<(event: LinkEvent) => void>();
  /** No tracker answers. */
  isCut = false;
  /** Whatever is asked is answered after this. */
  held: Promise<void> = Promise.resolve();

  constructor(trackers: PlayedTrackers, peer: TestPeer) {
    super();
    this.#trackers = trackers;
    this.#peer = peer;
    this.currentUser = this.#sessionUser();
    this.answer = async (command) => {
      await this.held;
      return this.#append(command);
    };
  }

  override trust: TrackerLink['trust'] = () => ({ logId: LOG_ID, trackers: [TRACKER] });

  override onEvent: TrackerLink['onEvent'] = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  override findSources: TrackerLink['findSources'] = async (wanted) => {
    const answer = this.#sourcesOf(wanted);
    await this.held;
    return this.isCut ? UNAVAILABLE : answer;
  };

  tell(event: LinkEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** As the command would, and the push that follows it. */
  logIn(): void {
    const user = this.#peer.name;
    const { credentialOffset } = this.#trackers.log.state.users.get(user)!;
    this.#write('login', { user, credentialOffset });
    this.#sessionChanged();
  }

  logOut(): void {
    this.#write('logout', {});
    this.#sessionChanged();
  }

  /** Makes the user, and logs in. */
  signUp(): void {
    this.#write('create_user', { user: this.#peer.name, commitment: COMMITMENT });
    this.logIn();
  }

  #sessionChanged(): void {
    this.currentUser = this.#sessionUser();
    this.tell({ type: 'session_changed', user: this.currentUser, ended: null });
  }

  #sessionUser(): string | null {
    return this.#trackers.log.state.sessions.get(this.#peer.identity.id)?.user ?? null;
  }

  #append({ name, body, commandId, user }: SentCommand): CommandAnswer {
    if (this.isCut) return UNAVAILABLE;
    if (user !== this.#sessionUser()) return NOT_LOGGED_IN;
    const { outcome, outcomeOffset: offset } = this.#write(name as PeerCommandName, body as never, commandId);
    return outcome.status === 'accepted' ? { ...outcome, offset } : { ...outcome, offset };
  }

  #write<Name extends PeerCommandName>(name: Name, data: CommandData[Name], id?: string) {
    const actor = { kind: 'peer', peerId: this.#peer.identity.id, user: this.#sessionUser() } as const;
    return this.#trackers.log.append(name, data, { actor, ...(id !== undefined && { id }) });
  }

  #sourcesOf({ group: groupName, file, version }: WantedShare): ViewAnswer<SourcesView> {
    const user = this.#sessionUser();
    if (user === null) return NOT_LOGGED_IN;
    const { state } = this.#trackers.log;
    const group = readableGroup(state, groupName, user);
    if (typeof group === 'string') return { status: 'rejected', reason: group, offset: null };
    const found = version === undefined ? group.shares.get(file) : versionOf(group, file, version);
    if (found === undefined) return { status: 'rejected', reason: 'file_not_found', offset: null };
    const { contentId } = found;
    const share = sharedContent(state, group, found);
    const isGranted = found.downloaders?.has(this.#peer.identity.id);
    const { groupId, shareId } = share;
    const online = this.#trackers.absent.has(shareId) ? [] : [...this.#trackers.sources.values()];
    const view: SourcesView = {
      share,
      sources: online.filter(({ peerId }) => peerId !== this.#peer.identity.id),
      grant: isGranted
        ? Buffer.from(grantFor(this.#peer, contentId, { groupId, shareId })).toString('base64url')
        : null,
      grantExpiresAtMs: isGranted ? Date.now() + 100_000 : null,
    };
    return { status: 'accepted', asOfOffset: state.appliedOffset, view };
  }
}
