// Owns asking the running peer for the names that a line is completed with. Nobody waits for them long, and a peer that is away,
// slow or of another mind completes nothing.
import type { ApiKeyItem, FileItem, GroupItem, MemberItem, RequestItem, TransferView } from '#wire/control-api';
import type { SessionItem } from '#wire/control-sessions';
import type { Candidate, NameSource } from './completion.ts';
import { ControlClient, findPeer, peerPlace } from './control-client.ts';
import { formatBytes, shortId } from './quantities.ts';

const ANSWER_TIMEOUT_MS = 700;
const NAMES_MAX = 1000;

type Environment = Readonly<Record<string, string | undefined>>;

/** The names that a peer knows, found by flags (`--data-dir`, `--control-token-file`) and environment. */
export function peerNames(flags: ReadonlyMap<string, string>, environment: Environment): NameSource {
  const list = async <Item>(path: string): Promise<readonly Item[]> => {
    try {
      const [dataDir, controlTokenFile] = [flags.get('--data-dir'), flags.get('--control-token-file')];
      const place = {
        ...(dataDir !== undefined && { dataDir }),
        ...(controlTokenFile !== undefined && { controlTokenFile }),
      };
      const address = await findPeer(peerPlace(place, environment));
      const client = new ControlClient(address, AbortSignal.timeout(ANSWER_TIMEOUT_MS));
      const query = `${path.includes('?') ? '&' : '?'}limit=${NAMES_MAX}`;
      const { items } = await client.view<{ items?: Item[] }>(`${path}${query}`);
      return Array.isArray(items) ? items : [];
    } catch {
      return [];
    }
  };
  const ofGroup = <Item>(group: string, part: string): Promise<readonly Item[]> =>
    list<Item>(`/groups/${encodeURIComponent(group)}/${part}`);
  return {
    groups: async (beginning, isWanted) =>
      (await list<GroupItem>(`/groups${after(beginning)}`))
        .filter(({ membership }) => isWanted(membership))
        .map(({ group, owner }) => ({ word: group, about: `of ${owner}` })),
    files: async (group, beginning) => (await ofGroup<FileItem>(group, `files${after(beginning)}`)).map(fileCandidate),
    transfers: async (isWanted) =>
      (await list<TransferView>('/transfers')).filter(({ state }) => isWanted(state)).map(transferCandidate),
    members: async (group) => (await ofGroup<MemberItem>(group, 'members')).map(userCandidate),
    requests: async (group) => (await ofGroup<RequestItem>(group, 'requests')).map(userCandidate),
    sessions: async () =>
      (await list<SessionItem>('/sessions'))
        .filter(({ current }) => !current)
        .map(({ peerId, startedAt }) => ({ word: peerId, about: `since ${startedAt}` })),
    keys: async () =>
      (await list<ApiKeyItem>('/api-keys')).map(({ keyId, name, scope }) => ({
        word: keyId,
        about: `${name}, ${scope}`,
      })),
  };
}

/** Lists are sorted by name: a page that begins right before a beginning has the names that begin so. */
function after(beginning: string): string {
  const typed = beginning.normalize('NFC');
  const last = typed.charCodeAt(typed.length - 1);
  // A surrogate has no neighbour that is a character.
  if (typed === '' || last <= 0x21 || last >= 0xd7ff) return '';
  return `?after=${encodeURIComponent(`${typed.slice(0, -1)}${String.fromCharCode(last - 1)}\ud7ff`)}`;
}

function fileCandidate({ file, totalBytes, sharedBy }: FileItem): Candidate {
  return { word: file, about: `${formatBytes(totalBytes)}, shared by ${sharedBy}` };
}

function transferCandidate({ transferId, file, group, state }: TransferView): Candidate {
  return { word: shortId(transferId), about: `${file} of ${group}, ${state}` };
}

function userCandidate({ user }: { readonly user: string }): Candidate {
  return { word: user, about: '' };
}
