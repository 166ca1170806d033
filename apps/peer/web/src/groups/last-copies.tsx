// Owns the warning that something takes away the last complete copy of a file: which files those are, as the peer says, and, before
// whatever has no dialog of its own, the question whether to go ahead. Where it cannot be told, it is said that it cannot.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { LastCopyItem } from '#wire/control-copies';
import { getPage, type Page, part } from '../api/client.ts';
import type { Answer } from '../api/problem.ts';
import { countText } from '../lists/amounts.ts';
import { confirmed, type Question } from '../parts/confirmation.tsx';
import { Notice } from '../parts/notice.tsx';

/** What would be taken away: everything of this peer, what it has of a group, or one file. */
export interface TakenAway {
  readonly group?: string;
  readonly file?: string;
  readonly version?: number;
}

const NAMED_MOST = 5;

/** Asks, unless nothing is lost for sure and `isAlwaysAsked` is not said. Resolves with whether to go ahead. */
export async function confirmedLoss(
  taken: TakenAway,
  question: Question & { readonly isAlwaysAsked?: boolean },
): Promise<boolean> {
  const answer = await lastCopies(taken);
  if (answer.ok && answer.value.items.length === 0) return question.isAlwaysAsked === true ? confirmed(question) : true;
  return confirmed({
    ...question,
    isDangerous: true,
    body: (
      <>
        {question.body}
        <Loss answer={answer} />
      </>
    ),
  });
}

/** The warning of it in a dialog, once it is known that there is reason for one. */
export function LossWarning({ taken }: { readonly taken: TakenAway }) {
  const answer = useSignal<Answer<Page<LastCopyItem>> | null>(null);
  const query = queryOf(taken);
  useEffect(() => {
    let isWanted = true;
    answer.value = null;
    void lastCopies(taken).then((told) => {
      if (isWanted) answer.value = told;
    });
    return () => void (isWanted = false);
  }, [query]);
  return <div role="status">{answer.value !== null && <Loss answer={answer.value} />}</div>;
}

/** What nobody else online has completely. */
function lastCopies(taken: TakenAway): Promise<Answer<Page<LastCopyItem>>> {
  return getPage<LastCopyItem>(`/last-copies${queryOf(taken)}`, null);
}

function queryOf(taken: TakenAway): string {
  const query = Object.entries(taken).map(([name, value]) => `${name}=${part(String(value))}`);
  return query.length === 0 ? '' : `?${query.join('&')}`;
}

function Loss({ answer }: { readonly answer: Answer<Page<LastCopyItem>> }) {
  if (!answer.ok) {
    return (
      <Notice tone="warn">
        It cannot be told now whether anybody else has complete copies of what you share. {answer.problem.detail}
      </Notice>
    );
  }
  const { items, next } = answer.value;
  return items.length === 0 ? null : <LostFiles files={items} isMore={next !== null} />;
}

function LostFiles({ files, isMore }: { readonly files: readonly LastCopyItem[]; readonly isMore: boolean }) {
  const rest = files.length - NAMED_MOST;
  return (
    <Notice tone="warn">
      <p>
        {files.length === 1 && !isMore
          ? 'Nobody else who is online has a complete copy of this file. Until somebody has, others cannot get it:'
          : 'Nobody else who is online has a complete copy of these files. Until somebody has, others cannot get them:'}
      </p>
      <ul>
        {files.slice(0, NAMED_MOST).map(({ group, file, version, partialCopies }) => (
          <li key={`${group}/${file}/${version}`}>
            <strong>{file}</strong> of {group}
            {version > 1 && `, version ${version}`}
            {partialCopies > 0 && ` (${countText(partialCopies, 'other')} online with a part of it)`}
          </li>
        ))}
        {rest > 0 && (
          <li>
            and {rest} {isMore ? 'or more others' : 'more'}
          </li>
        )}
      </ul>
    </Notice>
  );
}
