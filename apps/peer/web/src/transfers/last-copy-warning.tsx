// Owns the warning that something takes away the last complete copy that is online: it asks the peer, and says what others lose.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { LastCopyItem } from '#wire/control-copies';
import { getPage, type Page } from '../api/client.ts';
import type { Answer } from '../api/problem.ts';
import { countText } from '../lists/amounts.ts';
import { Notice } from '../parts/notice.tsx';

/** What is taken away: of a file all versions when none is named. */
export interface CopyInQuestion {
  readonly group: string;
  readonly file: string;
  readonly version: number | null;
}

/** What nobody else online has completely. */
export function lastCopies({ group, file, version }: CopyInQuestion): Promise<Answer<Page<LastCopyItem>>> {
  const query = new URLSearchParams({ group, file, ...(version !== null && { version: String(version) }) });
  return getPage<LastCopyItem>(`/last-copies?${query.toString()}`, null);
}

/** The warning, once it is known that there is reason for one. */
export function LastCopyWarning({ of }: { readonly of: CopyInQuestion }) {
  const items = useSignal<readonly LastCopyItem[]>([]);
  const { group, file, version } = of;
  useEffect(() => {
    let isWanted = true;
    void lastCopies({ group, file, version }).then((answer) => {
      if (isWanted && answer.ok) items.value = answer.value.items;
    });
    return () => void (isWanted = false);
  }, [group, file, version]);
  return <div role="status">{items.value.length > 0 && <Notice tone="warn">{warningText(items.value)}</Notice>}</div>;
}

function warningText(items: readonly LastCopyItem[]): string {
  const partialCopies = items.reduce((most, item) => Math.max(most, item.partialCopies), 0);
  const versions =
    items.length === 1
      ? 'This is the last complete copy'
      : `These are the last complete copies of ${items.length} versions`;
  const others =
    partialCopies === 0
      ? 'Nobody else has any of it'
      : `${countText(partialCopies, 'other peer')} online ${partialCopies === 1 ? 'has' : 'have'} a part of it`;
  return `${versions} that is online. ${others}: until a copy comes back, nobody can download all of it.`;
}
