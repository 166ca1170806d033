// Owns the files of a folder in the detail of its transfer: how much of each is there, reckoned from the pieces as they come, and how
// much it is wanted, which can be changed.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { soundBytesOf } from '#domain/content-damage';
import type { PriorityName } from '#domain/piece-priorities';
import type { TransferFileItem } from '#wire/control-transfer-files';
import { getPage, part } from '../api/client.ts';
import { bytesText, percentText } from '../lists/amounts.ts';
import { DetailPart } from '../lists/detail-panel.tsx';
import { rowHeight } from '../lists/row-height.ts';
import { type GridColumn, WindowedGrid } from '../lists/windowed-grid.tsx';
import { Button } from '../parts/button.tsx';
import { pieceBytesOf } from './piece-map.ts';
import { prioritize } from './transfer-actions.ts';
import type { KnownTransfer } from './transfer-deltas.ts';
import { transferOf } from './transfer-store.ts';

/** A file, and where it begins in the content, in bytes. */
interface FileInFolder {
  readonly item: TransferFileItem;
  readonly begin: number;
}

interface Listing {
  readonly files: readonly FileInFolder[];
  readonly next: string | null;
}

const PRIORITY_WORDS: Readonly<Record<PriorityName, string>> = {
  high: 'High',
  normal: 'Normal',
  low: 'Low',
  skip: 'Skip',
};
const EMPTY: Listing = { files: [], next: null };

/** The files of a transfer that is a folder; nothing of one that is a single file. */
export function TransferFiles({ transfer: { view, pieces } }: { readonly transfer: KnownTransfer }) {
  const { transferId, only, priorities, direction } = view;
  const listing = useSignal<Listing>(EMPTY);
  const read = async (before: Listing): Promise<void> => {
    const page = await getPage<TransferFileItem>(`/transfers/${part(transferId)}/files`, before.next);
    if (page.ok) listing.value = appended(before, page.value.items, page.value.next);
  };
  // What there is is known from the first pieces on, and what is wanted is part of each item.
  const key = JSON.stringify([transferId, only, priorities, pieces.length, view.verifiedBytes > 0]);
  useEffect(() => void read(EMPTY), [key]);
  const { files, next } = listing.value;
  if (files.length === 0 || (files.length === 1 && files[0]!.item.path === '')) return null;
  return (
    <DetailPart title="Files">
      <div class="files-of-transfer">
        <WindowedGrid
          label={`Files of ${view.file}`}
          className={direction === 'download' ? 'folder-grid' : 'folder-grid is-upload'}
          columns={direction === 'download' ? columnsOf(transferId) : columnsOf(transferId).slice(0, 2)}
          rows={files}
          rowHeight={rowHeight.value}
          openKey={null}
          keyOf={({ item }) => item.path}
          onOpen={() => undefined}
        />
      </div>
      {next !== null && <Button onClick={() => void read(listing.value)}>Show more files</Button>}
    </DetailPart>
  );
}

function appended({ files }: Listing, items: readonly TransferFileItem[], next: string | null): Listing {
  const last = files.at(-1);
  let begin = last === undefined ? 0 : last.begin + last.item.totalBytes;
  const added = items.map((item) => {
    const file = { item, begin };
    begin += item.totalBytes;
    return file;
  });
  return { files: [...files, ...added], next };
}

const columnsByTransfer = new Map<string, readonly GridColumn<FileInFolder>[]>();

/** The same columns as long as it is the same transfer: rows are drawn anew for others. */
function columnsOf(transferId: string): readonly GridColumn<FileInFolder>[] {
  const columns = columnsByTransfer.get(transferId) ?? [
    { name: 'path', label: 'File', cell: PathCell },
    { name: 'here', label: 'Here', isNumeric: true, cell: (row) => <HereCell transferId={transferId} row={row} /> },
    {
      name: 'priority',
      label: 'Priority',
      cell: (row, isActive) => <PriorityCell transferId={transferId} row={row} isActive={isActive} />,
    },
  ];
  columnsByTransfer.clear();
  columnsByTransfer.set(transferId, columns);
  return columns;
}

function PathCell({ item: { path, totalBytes } }: FileInFolder) {
  return (
    <div class="name-lines">
      <div class="cut" title={path}>
        {path}
      </div>
      <div class="name-second">{bytesText(totalBytes)}</div>
    </div>
  );
}

function HereCell({ transferId, row: { item, begin } }: { readonly transferId: string; readonly row: FileInFolder }) {
  const transfer = transferOf(transferId)?.value;
  if (item.totalBytes === 0) return <>100 %</>;
  if (transfer === undefined) return null;
  const pieceBytes = pieceBytesOf(transfer.view.totalBytes, transfer.pieces.length);
  const hereBytes = soundBytesOf({ begin, length: item.totalBytes }, { pieceBytes }, transfer.pieces);
  return <>{item.priority === 'skip' && hereBytes === 0 ? '–' : percentText(hereBytes, item.totalBytes)}</>;
}

function PriorityCell({
  transferId,
  row: { item },
  isActive,
}: {
  readonly transferId: string;
  readonly row: FileInFolder;
  readonly isActive: boolean;
}) {
  const change = (priority: PriorityName): void => {
    const view = transferOf(transferId)?.peek().view;
    if (view !== undefined) prioritize(view, item.path, priority);
  };
  return (
    <select
      class="input row-select"
      aria-label={`Priority of ${item.path}`}
      tabIndex={isActive ? 0 : -1}
      value={item.priority}
      onKeyDown={(event) => event.stopPropagation()}
      onChange={(event) => change(event.currentTarget.value as PriorityName)}
    >
      {(Object.keys(PRIORITY_WORDS) as PriorityName[]).map((name) => (
        <option key={name} value={name}>
          {PRIORITY_WORDS[name]}
        </option>
      ))}
    </select>
  );
}
