// Owns what stands in a row of the list of transfers. Each cell follows its transfer by itself, so that progress draws the cells that it
// changes and nothing else.
import type { ComponentChildren } from 'preact';
import type { TransferView } from '#wire/control-api';
import { bytesText, durationText, percentText, rateText } from '../lists/amounts.ts';
import { RowButton } from '../lists/row-button.tsx';
import type { GridColumn } from '../lists/windowed-grid.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Badge } from '../parts/notice.tsx';
import { act } from './transfer-actions.ts';
import { transferOf } from './transfer-store.ts';
import { actionsOf, isUnderWay, stateWords, type TransferAction } from './transfer-words.ts';

/** How actions are shown. */
export const ACTION_ICONS: Readonly<Record<TransferAction, IconName>> = {
  pause: 'pause',
  resume: 'play',
  cancel: 'close',
  recheck: 'check',
  remove: 'trash',
};

/** What actions are called. */
export const ACTION_WORDS: Readonly<Record<TransferAction, string>> = {
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  recheck: 'Recheck',
  remove: 'Remove',
};

/** The columns of the list; a row is the id of a transfer. */
export const TRANSFER_COLUMNS: readonly GridColumn<string>[] = [
  { name: 'file', label: 'Name', isSortable: true, cell: (id) => <Cell id={id} of={NameCell} /> },
  { name: 'state', label: 'State', cell: (id) => <Cell id={id} of={StateCell} /> },
  { name: 'progress', label: 'Progress', cell: (id) => <Cell id={id} of={ProgressCell} /> },
  {
    name: 'totalBytes',
    label: 'Size',
    isSortable: true,
    isNumeric: true,
    cell: (id) => <Cell id={id} of={SizeCell} />,
  },
  { name: 'rate', label: 'Speed', isNumeric: true, cell: (id) => <Cell id={id} of={RateCell} /> },
  { name: 'eta', label: 'Left', isNumeric: true, cell: (id) => <Cell id={id} of={EtaCell} /> },
  { name: 'actions', label: 'Actions', cell: (id, isActive) => <ActionsCell id={id} isActive={isActive} /> },
];

function Cell({ id, of }: { readonly id: string; readonly of: (view: TransferView) => ComponentChildren }) {
  const transfer = transferOf(id)?.value;
  return <>{transfer === undefined ? null : of(transfer.view)}</>;
}

function NameCell({ direction, file, group, reason, version, temporary }: TransferView) {
  const about = [
    group,
    version !== null && version > 1 ? `version ${version}` : '',
    temporary ? 'while it is watched' : '',
  ];
  return (
    <div class="name-cell">
      <Icon name={direction === 'download' ? 'down' : 'up'} class="faint" />
      <div class="name-lines">
        <div class="cut name-first" title={file}>
          <span class="heard">{direction === 'download' ? 'Download of ' : 'Upload of '}</span>
          {file}
        </div>
        <div class="cut name-second" title={reason === null ? undefined : `${reason.detail} ${reason.action}`}>
          {about.filter((part) => part !== '').join(' · ')}
          {reason !== null && <span class="name-reason"> · {reason.detail}</span>}
        </div>
      </div>
    </div>
  );
}

function StateCell(view: TransferView) {
  const { word, tone } = stateWords(view);
  return <Badge tone={tone}>{word}</Badge>;
}

function ProgressCell(view: TransferView) {
  const { verifiedBytes, wantedBytes } = view;
  return (
    <Progress part={verifiedBytes} whole={wantedBytes} isMoving={isUnderWay(view)} label={`Progress of ${view.file}`} />
  );
}

/** A bar, with the same as a number beside it. */
export function Progress({
  part,
  whole,
  isMoving,
  label,
}: {
  readonly part: number;
  readonly whole: number;
  readonly isMoving: boolean;
  readonly label: string;
}) {
  const share = whole === 0 ? 1 : part / whole;
  return (
    <div class="progress">
      <progress class={isMoving ? 'progress-bar is-moving' : 'progress-bar'} max={1} value={share} aria-label={label} />
      <span class="progress-text">{percentText(part, whole)}</span>
    </div>
  );
}

function SizeCell({ wantedBytes, totalBytes }: TransferView) {
  const isSome = wantedBytes !== totalBytes;
  return <span title={isSome ? `of ${bytesText(totalBytes)}` : undefined}>{bytesText(wantedBytes)}</span>;
}

function RateCell({ bytesPerSecond }: TransferView) {
  return rateText(bytesPerSecond);
}

function EtaCell({ etaSeconds }: TransferView) {
  return etaSeconds === null ? '' : durationText(etaSeconds);
}

function ActionsCell({ id, isActive }: { readonly id: string; readonly isActive: boolean }) {
  const view = transferOf(id)?.value.view;
  if (view === undefined) return null;
  const shown = actionsOf(view).filter((action) => action === 'pause' || action === 'resume' || action === 'remove');
  return (
    <div class="row-actions">
      {shown.map((action) => (
        <RowButton
          key={action}
          icon={ACTION_ICONS[action]}
          label={`${ACTION_WORDS[action]} ${view.file}`}
          isActive={isActive}
          onClick={() => act(action, view)}
        />
      ))}
    </div>
  );
}
