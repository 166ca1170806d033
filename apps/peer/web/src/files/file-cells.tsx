// Owns what stands in a row of the list of a group's files: the file, who has it now, and what this peer has of it.
import type { FileItem } from '#wire/control-api';
import { bytesText, countText, momentText, percentText, whenText } from '../lists/amounts.ts';
import { RowButton } from '../lists/row-button.tsx';
import type { GridColumn } from '../lists/windowed-grid.tsx';
import { Icon } from '../parts/icon.tsx';
import { Badge, type Tone } from '../parts/notice.tsx';
import { hrefOf } from '../routing/route.ts';
import { isServedWhole, isUnderWay, stateWords } from '../transfers/transfer-words.ts';
import { transferIdOfFile, transferOf } from '../transfers/transfer-store.ts';
import type { FileRow } from './file-index.ts';
import type { OnFileTask } from './file-task.ts';

/** The columns of the list of a group. */
export function fileColumns(group: string, onTask: OnFileTask): readonly GridColumn<FileRow>[] {
  return [
    { name: 'file', label: 'Name', isSortable: true, cell: ({ item }) => <NameCell item={item} /> },
    {
      name: 'totalBytes',
      label: 'Size',
      isSortable: true,
      isNumeric: true,
      cell: ({ item }) => bytesText(item.totalBytes),
    },
    {
      name: 'sharedBy',
      label: 'Shared by',
      isSortable: true,
      cell: ({ item }) => <span class="cut">{item.sharedBy}</span>,
    },
    { name: 'sharedAt', label: 'When', isSortable: true, cell: ({ item }) => <SharedAt at={item.sharedAt} /> },
    { name: 'version', label: 'Version', isSortable: true, isNumeric: true, cell: ({ item }) => String(item.version) },
    {
      name: 'completeCopies',
      label: 'Copies online',
      isSortable: true,
      cell: ({ item }) => <Availability item={item} />,
    },
    {
      name: 'here',
      label: 'On this peer',
      cell: ({ item }, isActive) => <HereCell group={group} item={item} isActive={isActive} onTask={onTask} />,
    },
  ];
}

function NameCell({ item: { file, sharedBy, totalBytes } }: { readonly item: FileItem }) {
  return (
    <div class="name-cell">
      <Icon name="file" class="faint" />
      <div class="name-lines">
        <div class="cut name-first" title={file}>
          {file}
        </div>
        <div class="cut name-second phone-only">
          {bytesText(totalBytes)} · {sharedBy}
        </div>
      </div>
    </div>
  );
}

function SharedAt({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={momentText(at)}>
      {whenText(at, Date.now())}
    </time>
  );
}

/** How many have all of it, and how many a part, in words and in a colour. */
export function Availability({ item }: { readonly item: FileItem }) {
  const { completeCopies, partialCopies, wantedCopies } = item;
  const complete =
    wantedCopies > 0
      ? `${completeCopies} of ${wantedCopies} wanted`
      : countText(completeCopies, 'complete', 'complete');
  const partial = partialCopies === 0 ? '' : `${partialCopies} partial`;
  return (
    <span class="availability">
      <Badge tone={toneOf(item)}>
        {completeCopies === 0 ? (partial === '' ? 'Nobody online' : 'None complete') : complete}
      </Badge>
      {partial !== '' && <span class="small soft">{partial}</span>}
    </span>
  );
}

function toneOf({ completeCopies, partialCopies, wantedCopies }: FileItem): Tone {
  if (completeCopies === 0) return partialCopies === 0 ? 'bad' : 'warn';
  return completeCopies < wantedCopies ? 'warn' : 'good';
}

interface HereProps {
  readonly group: string;
  readonly item: FileItem;
  readonly isActive: boolean;
  readonly onTask: OnFileTask;
}

/** What this peer has of it: the way to get it, how far it is, or that it is here. */
function HereCell({ group, item, isActive, onTask }: HereProps) {
  const id = transferIdOfFile(group, item.file, item.version);
  const view = transferOf(id)?.value.view;
  if (view === undefined || view.temporary || view.state === 'cancelled') {
    return (
      <RowButton
        icon="down"
        label={`Download ${item.file}`}
        isActive={isActive}
        onClick={() => onTask({ kind: 'download', item, isNewest: true })}
      />
    );
  }
  const { word, tone } = stateWords(view);
  const text = isUnderWay(view)
    ? `${word} ${percentText(view.verifiedBytes, view.wantedBytes)}`
    : isServedWhole(view) && tone === 'good'
      ? 'Here'
      : word;
  return (
    <a
      class="here-link"
      tabIndex={isActive ? 0 : -1}
      href={hrefOf({ place: 'transfers', transferId: view.transferId })}
    >
      <Badge tone={tone}>{text}</Badge>
    </a>
  );
}
