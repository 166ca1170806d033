// Owns what the frame shows of transfers: the rate of all of them in the header, and how many are under way beside their place.
import { bytesText } from '../lists/amounts.ts';
import { Icon } from '../parts/icon.tsx';
import { Badge } from '../parts/notice.tsx';
import { hrefOf } from '../routing/route.ts';
import { route } from '../routing/router.ts';
import { totalRates, underWayCount } from './transfer-store.ts';

/** The total rate, down and up. It leads to what moves. */
export function TotalRate() {
  const { downBytesPerSecond, upBytesPerSecond } = totalRates.value;
  const isAtTransfers = route.value?.place === 'transfers';
  return (
    <a class={isAtTransfers ? 'total-rate is-at-transfers' : 'total-rate'} href={hrefOf({ place: 'transfers' })}>
      <span class={downBytesPerSecond > 0 ? 'rate is-moving' : 'rate'}>
        <Icon name="down" />
        <span class="heard">Down </span>
        {bytesText(downBytesPerSecond)}/s
      </span>
      <span class={upBytesPerSecond > 0 ? 'rate is-moving' : 'rate'}>
        <Icon name="up" />
        <span class="heard">Up </span>
        {bytesText(upBytesPerSecond)}/s
      </span>
    </a>
  );
}

/** How many are under way. */
export function TransferCount() {
  const count = underWayCount.value;
  return count === 0 ? null : (
    <Badge tone="accent">
      {count}
      <span class="heard"> under way</span>
    </Badge>
  );
}
