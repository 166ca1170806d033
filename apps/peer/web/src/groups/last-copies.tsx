// Owns the question before something takes away the last complete copy of a file: which files those are, as the peer says, and whether to
// go ahead. Where it cannot be told, it is said that it cannot.
import type { LastCopyItem } from '#wire/control-copies';
import { getPage, part } from '../api/client.ts';
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
  const query = Object.entries(taken).map(([name, value]) => `${name}=${part(String(value))}`);
  const answer = await getPage<LastCopyItem>(`/last-copies${query.length === 0 ? '' : `?${query.join('&')}`}`, null);
  const lost = answer.ok ? answer.value.items : [];
  if (answer.ok && lost.length === 0) return question.isAlwaysAsked === true ? confirmed(question) : true;
  return confirmed({
    ...question,
    isDangerous: true,
    body: (
      <>
        {question.body}
        {answer.ok ? (
          <LostFiles files={lost} isMore={answer.value.next !== null} />
        ) : (
          <Notice tone="warn">
            It cannot be told now whether anybody else has complete copies of what you share. {answer.problem.detail}
          </Notice>
        )}
      </>
    ),
  });
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
        {files.slice(0, NAMED_MOST).map(({ group, file, version }) => (
          <li key={`${group}/${file}/${version}`}>
            <strong>{file}</strong> of {group}
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
