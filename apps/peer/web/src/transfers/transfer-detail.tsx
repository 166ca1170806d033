// Owns the detail of one transfer: how it stands and why, what can be done, its pieces, its speed, who delivered what, its files, and
// the facts.
import type { DatedReasonView, TransferView } from '#wire/control-api';
import { bytesText, countText, rateText } from '../lists/amounts.ts';
import { DetailPanel, DetailPart } from '../lists/detail-panel.tsx';
import { Button } from '../parts/button.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Badge, Empty, Notice } from '../parts/notice.tsx';
import { Time } from '../parts/time.tsx';
import { hrefOf } from '../routing/route.ts';
import { PeersTable } from './peers-table.tsx';
import { PieceMapPicture } from './piece-map-picture.tsx';
import { SpeedGraph } from './speed-graph.tsx';
import { act } from './transfer-actions.ts';
import { ACTION_ICONS, ACTION_WORDS, Progress } from './transfer-cells.tsx';
import type { KnownTransfer } from './transfer-deltas.ts';
import { TransferFiles } from './transfer-files.tsx';
import { areTransfersRead, ratesTick, transferOf } from './transfer-store.ts';
import {
  actionsOf,
  isUnderWay,
  PRIVATE_TEXT,
  progressText,
  recheckText,
  sinceText,
  stateWords,
} from './transfer-words.ts';

/** The panel of a transfer; of one that is gone it says so. */
export function TransferDetail({ transferId, onClose }: { readonly transferId: string; readonly onClose: () => void }) {
  const transfer = transferOf(transferId)?.value;
  if (transfer === undefined) {
    if (!areTransfersRead.value) return null;
    return (
      <DetailPanel subject={transferId} title="Not here any more" label="Details" onClose={onClose}>
        <Empty icon="transfers" title="There is no such transfer">
          It was removed from this peer.
        </Empty>
      </DetailPanel>
    );
  }
  const { view } = transfer;
  return (
    <DetailPanel subject={transferId} title={view.file} label={`Details of ${view.file}`} onClose={onClose}>
      <Standing transfer={view} />
      <DetailPart title="Pieces">
        <PieceMapPicture transfer={transfer} />
      </DetailPart>
      {view.direction === 'download' && <DownloadParts transfer={transfer} />}
      <TransferFiles transfer={transfer} />
      <DetailPart title="Facts">
        <TransferFacts view={view} />
      </DetailPart>
    </DetailPanel>
  );
}

function Standing({ transfer }: { readonly transfer: TransferView }) {
  const { word, tone } = stateWords(transfer);
  const recheck = recheckText(transfer);
  const { verifiedBytes, wantedBytes, file } = transfer;
  return (
    <>
      <div class="standing">
        <Badge tone={tone}>{word}</Badge>
        <span class="soft">{progressText(transfer)}</span>
      </div>
      <Progress
        part={verifiedBytes}
        whole={wantedBytes}
        isMoving={isUnderWay(transfer)}
        label={`Progress of ${file}`}
      />
      {transfer.reason !== null && <Reason reason={transfer.reason} tone={tone === 'bad' ? 'bad' : 'warn'} />}
      {recheck !== null && <p class="soft">{recheck}</p>}
      {transfer.sha1Matches === false && (
        <Notice tone="warn">
          The SHA-1 of it is not what the sharer said, although every piece is what was shared.
        </Notice>
      )}
      <div class="button-row">
        {actionsOf(transfer).map((action) => (
          <Button
            key={action}
            icon={ACTION_ICONS[action]}
            {...(action === 'remove' && { tone: 'danger' as const })}
            onClick={() => act(action, transfer)}
          >
            {ACTION_WORDS[action]}
          </Button>
        ))}
      </div>
    </>
  );
}

/** What happened, since when, and what would help. The minutes go on by themselves. */
function Reason({ reason, tone }: { readonly reason: DatedReasonView; readonly tone: 'warn' | 'bad' }) {
  const since = ratesTick.value >= 0 ? sinceText(reason, Date.now()) : '';
  return (
    <Notice tone={tone}>
      <strong>{reason.detail}</strong>
      <span>{reason.action}</span>
      <span class="small">It has been so {since}.</span>
    </Notice>
  );
}

function DownloadParts({ transfer: { view } }: { readonly transfer: KnownTransfer }) {
  return (
    <>
      <DetailPart title="Speed">
        <SpeedGraph transferId={view.transferId} label={`Speed of ${view.file}`} />
      </DetailPart>
      <DetailPart title="Delivered by">
        <PeersTable peers={view.peers} />
      </DetailPart>
    </>
  );
}

function TransferFacts({ view }: { readonly view: TransferView }) {
  const { completeCopies, reusedBytes, sha1, contentId, version, completedAt, only, group } = view;
  const reused = reusedBytes === 0 ? null : `${bytesText(reusedBytes)} were on this disk already and not fetched.`;
  return (
    <Facts>
      <Fact name="Group">
        <a href={hrefOf({ place: 'files', group, file: view.file })}>{group}</a>
      </Fact>
      <Fact name="On this disk">
        <code>{view.path}</code>
      </Fact>
      {completeCopies !== null && (
        <Fact name="Copies">{countText(completeCopies, 'other complete copy', 'other complete copies')} online</Fact>
      )}
      {view.private && <Fact name="Private">{PRIVATE_TEXT}</Fact>}
      {only !== null && <Fact name="Only">{only.join(', ')}</Fact>}
      <Fact name="Size">{bytesText(view.totalBytes)}</Fact>
      {version !== null && <Fact name="Version">{version}</Fact>}
      {reused !== null && <Fact name="Reused">{reused}</Fact>}
      <Fact name={view.direction === 'download' ? 'Begun' : 'Shared'}>
        <Time at={view.startedAt} />
      </Fact>
      {completedAt !== null && (
        <Fact name="Completed">
          <Time at={completedAt} />
          {averageText(view)}
        </Fact>
      )}
      {sha1 !== null && (
        <Fact name="SHA-1">
          <code>{sha1}</code>
        </Fact>
      )}
      {contentId !== null && (
        <Fact name="Content id">
          <code>{contentId}</code>
        </Fact>
      )}
    </Facts>
  );
}

/** `, 12.0 MiB/s on average`. */
function averageText({ direction, startedAt, completedAt, wantedBytes, reusedBytes }: TransferView): string {
  if (direction !== 'download' || completedAt === null) return '';
  const seconds = (Date.parse(completedAt) - Date.parse(startedAt)) / 1000;
  const fetchedBytes = wantedBytes - reusedBytes;
  return seconds <= 0 || fetchedBytes <= 0 ? '' : `, ${rateText(fetchedBytes / seconds)} on average`;
}
