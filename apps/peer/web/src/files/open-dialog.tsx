// Owns looking into a file that is shared: films, sounds and pictures are shown here, everything else in a tab of its own, and of a folder
// it is chosen what. The bytes come through a link that is good for that one file and nothing else.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { FileItem, TransferView } from '#wire/control-api';
import type { ContentLinkView } from '#wire/control-content';
import type { TransferFileItem } from '#wire/control-transfer-files';
import { getAll, getPage, part, post, problemOf } from '../api/client.ts';
import { PEER_AWAY, type PageProblem } from '../api/problem.ts';
import { bytesText } from '../lists/amounts.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { FormProblem } from '../parts/form.tsx';
import { transferIdOfFile } from '../transfers/transfer-store.ts';

/** What was found. */
type Found =
  | { readonly kind: 'looking' }
  | { readonly kind: 'content'; readonly path: string | null; readonly type: string; readonly url: string }
  | FoundFolder
  | { readonly kind: 'problem'; readonly problem: PageProblem };

/** What is known of a folder: its files so far, and where the others begin. */
interface FoundFolder {
  readonly kind: 'folder';
  readonly address: string;
  readonly files: readonly TransferFileItem[];
  readonly next: string | null;
}

/** What was begun for this reader ended meanwhile. */
const GONE: PageProblem = {
  code: 'transfer_not_found',
  detail: 'This peer does not look into it any more: open it again.',
  retryable: true,
  errors: [],
};

interface OpenDialogProps {
  readonly group: string;
  readonly item: FileItem;
  readonly onClose: () => void;
}

/** The dialog. */
export function OpenDialog({ group, item, onClose }: OpenDialogProps) {
  const found = useSignal<Found>({ kind: 'looking' });
  const look = async (path: string | null): Promise<void> => {
    found.value = { kind: 'looking' };
    found.value = await lookInto(group, item, path);
  };
  const more = async (folder: FoundFolder): Promise<void> => {
    const longer = await filesBehind(folder);
    if (found.value === folder) found.value = longer;
  };
  useEffect(() => void look(null), []);
  return (
    <Dialog title={`Open ${item.file}`} onClose={onClose} isWide>
      <Content found={found.value} onChoose={(path) => void look(path)} onMore={(folder) => void more(folder)} />
    </Dialog>
  );
}

interface Choices {
  readonly onChoose: (path: string) => void;
  readonly onMore: (folder: FoundFolder) => void;
}

function Content({ found, ...choices }: Choices & { readonly found: Found }) {
  switch (found.kind) {
    case 'looking':
      return <p role="status">Looking at what it is. Its first pieces may have to come from others …</p>;
    case 'problem':
      return <FormProblem problem={found.problem} />;
    case 'folder':
      return <Folder folder={found} {...choices} />;
    case 'content':
      return (
        <>
          {found.path !== null && <p class="soft">{found.path}</p>}
          <Shown type={found.type} url={found.url} />
          <div class="dialog-actions">
            <a class="button" href={found.url} target="_blank" rel="noreferrer">
              Open in a new tab
            </a>
          </div>
        </>
      );
  }
}

function Shown({ type, url }: { readonly type: string; readonly url: string }) {
  // oxlint-disable jsx-a11y/media-has-caption -- captions come with what is shared, if it has any
  if (type.startsWith('video/')) return <video class="shown" src={url} controls autoplay />;
  if (type.startsWith('audio/')) return <audio class="shown" src={url} controls autoplay />;
  // oxlint-enable jsx-a11y/media-has-caption
  if (/^image\/(?:avif|bmp|gif|jpeg|png|webp)$/.test(type)) return <img class="shown" src={url} alt="" />;
  return <p>It opens in a tab of its own, where nothing in it can reach this page.</p>;
}

function Folder({ folder, onChoose, onMore }: Choices & { readonly folder: FoundFolder }) {
  const { files, next } = folder;
  return (
    <>
      <p>It is a folder. Which file of it?</p>
      <ul class="folder-files">
        {files.map(({ path, totalBytes }) => (
          <li key={path}>
            <span class="cut" title={path}>
              {path}
            </span>
            <span class="number soft">{bytesText(totalBytes)}</span>
            <Button label={`Open ${path}`} onClick={() => onChoose(path)}>
              Open
            </Button>
          </li>
        ))}
      </ul>
      {next !== null && (
        <div class="dialog-actions">
          <span class="soft">These are the first {files.length.toLocaleString('en')} files.</span>
          <Button onClick={() => onMore(folder)}>Show more</Button>
        </div>
      )}
    </>
  );
}

async function lookInto(group: string, item: FileItem, path: string | null): Promise<Found> {
  const address = `/groups/${part(group)}/files/${part(item.file)}`;
  const kind = await typeOf(address, path);
  if ('files' in kind) return folderOf(group, item);
  if ('problem' in kind) return { kind: 'problem', problem: kind.problem };
  const link = await post<ContentLinkView>(`${address}/content-link`, path === null ? {} : { path });
  if (!link.ok) return { kind: 'problem', problem: link.problem };
  return { kind: 'content', path, type: kind.type, url: link.value.url };
}

/** The first byte is asked for, because a refusal has its words in the body, and because it is what a reader waits for. */
async function typeOf(
  address: string,
  path: string | null,
): Promise<{ readonly type: string } | { readonly files: true } | { readonly problem: PageProblem }> {
  try {
    const query = path === null ? '' : `?path=${part(path)}`;
    const response = await fetch(`/api/v1${address}/content${query}`, { headers: { range: 'bytes=0-0' } });
    // An empty file has no first byte.
    if (response.ok || response.status === 416) {
      void response.body?.cancel();
      return { type: response.headers.get('content-type') ?? '' };
    }
    const problem = problemOf(await response.json());
    const isFolder = path === null && problem.errors.some(({ field }) => field === 'path');
    return isFolder ? { files: true } : { problem };
  } catch {
    return { problem: PEER_AWAY };
  }
}

/** Of a folder: this peer has a transfer of it by now, if only one for who looks, which the events may not have told of yet. */
async function folderOf(group: string, { file, version }: FileItem): Promise<Found> {
  const transferId = transferIdOfFile(group, file, version) ?? (await newTransferOf(group, file));
  if (transferId === null) return { kind: 'problem', problem: GONE };
  return filesBehind({ kind: 'folder', address: `/transfers/${part(transferId)}/files`, files: [], next: null });
}

async function filesBehind(folder: FoundFolder): Promise<Found> {
  const page = await getPage<TransferFileItem>(folder.address, folder.next);
  if (!page.ok) return { kind: 'problem', problem: page.problem };
  return { ...folder, files: [...folder.files, ...page.value.items], next: page.value.next };
}

async function newTransferOf(group: string, file: string): Promise<string | null> {
  const all = await getAll<TransferView>('/transfers');
  const found = all.ok
    ? all.value.findLast((transfer) => transfer.group === group && transfer.file === file)
    : undefined;
  return found?.transferId ?? null;
}
