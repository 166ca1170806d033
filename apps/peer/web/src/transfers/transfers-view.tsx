// Owns the place of transfers: what moves altogether, the list of all transfers, and beside it the one that is looked at.
import { useRef } from 'preact/hooks';
import { Screen } from '../frame/screen.tsx';
import { rowHeight } from '../lists/row-height.ts';
import { useSearchKey } from '../lists/search-key.ts';
import { WindowedGrid } from '../lists/windowed-grid.tsx';
import { Button } from '../parts/button.tsx';
import { SearchField } from '../parts/field.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Loading, ViewProblem } from '../parts/notice.tsx';
import { hrefOf } from '../routing/route.ts';
import { go } from '../routing/router.ts';
import { RemovalDialog } from './removal-dialog.tsx';
import { SpeedGraph } from './speed-graph.tsx';
import { act } from './transfer-actions.ts';
import { TRANSFER_COLUMNS } from './transfer-cells.tsx';
import { TransferDetail } from './transfer-detail.tsx';
import {
  FILTER_WORDS,
  filterCounts,
  orderTransfersBy,
  shownTransfers,
  TRANSFER_FILTERS,
  transferFilter,
  transferOrder,
  transferSearch,
} from './transfer-list.ts';
import { askForNotices, noticePermission } from './transfer-notices.ts';
import { areTransfersRead, readTransfers, transferIds, transferOf, transfersProblem } from './transfer-store.ts';

/** All transfers, and one of them that is looked at. */
export function TransfersView({ transferId }: { readonly transferId: string | undefined }) {
  const view = useRef<HTMLDivElement>(null);
  useSearchKey(view);
  const isOpen = transferId !== undefined;
  return (
    <Screen title="Transfers" actions={<NoticeButton />}>
      <div class={isOpen ? 'view filling split has-detail' : 'view filling split'} ref={view}>
        <div class="split-list">
          <Transfers openId={transferId ?? null} />
        </div>
        {isOpen && <TransferDetail transferId={transferId} onClose={() => go({ place: 'transfers' })} />}
      </div>
      <RemovalDialog />
    </Screen>
  );
}

function Transfers({ openId }: { readonly openId: string | null }) {
  const problem = transfersProblem.value;
  if (!areTransfersRead.value) {
    return problem === null ? <Loading what="transfers" /> : <ViewProblem problem={problem} onRetry={readTransfers} />;
  }
  if (transferIds.value.length === 0) return <NoTransfers />;
  return (
    <>
      <div class="list-top">
        <SpeedGraph transferId={null} hasUp label="Speed of all transfers" />
      </div>
      <div class="list-bar">
        <Filters />
        <SearchField
          label="Search transfers"
          value={transferSearch.value}
          onInput={(text) => (transferSearch.value = text)}
        >
          <Icon name="search" />
        </SearchField>
      </div>
      <TransferGrid openId={openId} />
    </>
  );
}

function TransferGrid({ openId }: { readonly openId: string | null }) {
  const rows = shownTransfers.value;
  const order = transferOrder.value;
  if (rows.length === 0) return <Empty icon="search" title="No transfer is like that" />;
  return (
    <WindowedGrid
      label="Transfers"
      className="transfer-grid"
      columns={TRANSFER_COLUMNS}
      rows={rows}
      rowHeight={rowHeight.value}
      {...(order !== null && { order })}
      openKey={openId}
      keyOf={(id) => id}
      onSort={orderTransfersBy}
      onOpen={(id) => go({ place: 'transfers', transferId: id })}
      onKey={(key, id) => {
        const transfer = transferOf(id)?.peek().view;
        if (key === 'Delete' && transfer !== undefined) act('remove', transfer);
      }}
    />
  );
}

function Filters() {
  const counts = filterCounts.value;
  return (
    <fieldset class="segments">
      <legend class="heard">Which transfers are shown</legend>
      {TRANSFER_FILTERS.map((filter) => (
        <label key={filter}>
          <input
            type="radio"
            name="transfers"
            checked={transferFilter.value === filter}
            onChange={() => (transferFilter.value = filter)}
          />
          {FILTER_WORDS[filter]} <span class="faint">{counts[filter]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function NoTransfers() {
  return (
    <Empty
      icon="transfers"
      title="Nothing is shared or downloaded yet"
      actions={
        <a class="button main" href={hrefOf({ place: 'groups' })}>
          Go to your groups
        </a>
      }
    >
      Open a group to download what others share there, or to share something yourself. What moves is shown here.
    </Empty>
  );
}

function NoticeButton() {
  if (noticePermission.value !== 'default') return null;
  return (
    <Button icon="bell" tone="quiet" label="Notify me when a transfer ends" onClick={() => void askForNotices()} />
  );
}
