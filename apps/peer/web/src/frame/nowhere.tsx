// Owns what is shown at an address that there is not, with a way on.
import { Empty } from '../parts/notice.tsx';
import { HOME, hrefOf } from '../routing/route.ts';
import { Screen } from './screen.tsx';

/** There is nothing here. */
export function Nowhere() {
  return (
    <Screen title="Nothing here">
      <Empty
        icon="search"
        title="There is nothing at this address"
        actions={
          <a class="button main" href={hrefOf(HOME)}>
            Go to your groups
          </a>
        }
      >
        It may have been typed or copied with a letter missing.
      </Empty>
    </Screen>
  );
}
