// Owns what is shown of files on their way from this browser to the peer: how far each is, and the way to call it off.
import { bytesText } from '../lists/amounts.ts';
import { Button } from '../parts/button.tsx';
import { Progress } from '../transfers/transfer-cells.tsx';
import { cancelUpload, type DroppedUpload, droppedUploads } from './dropped-store.ts';

/** Those for one group; nothing while there are none. */
export function DroppedUploads({ group }: { readonly group: string }) {
  const uploads = droppedUploads.value.filter((upload) => upload.group === group);
  if (uploads.length === 0) return null;
  return (
    <section class="dropped" aria-label="On the way to the peer">
      <ul>
        {uploads.map((upload) => (
          <Row key={upload.id} upload={upload} />
        ))}
      </ul>
    </section>
  );
}

function Row({ upload }: { readonly upload: DroppedUpload }) {
  const { id, name, sentBytes, totalBytes, state, problem } = upload;
  const words = {
    sending: `${bytesText(sentBytes)} of ${bytesText(totalBytes)} given to the peer`,
    sharing: 'Being hashed',
    failed: '',
  };
  return (
    <li class="dropped-row">
      <div class="name-lines">
        <div class="cut name-first">{name}</div>
        <div
          class={state === 'failed' ? 'field-problem' : 'name-second'}
          role={state === 'failed' ? 'alert' : undefined}
        >
          {problem === null
            ? words[state]
            : [problem.detail, ...problem.errors.map(({ field, message }) => `${field} ${message}.`)].join(' ')}
        </div>
      </div>
      {state === 'sending' && (
        <Progress part={sentBytes} whole={totalBytes} isMoving label={`${name} on its way to the peer`} />
      )}
      {state !== 'sharing' && (
        <Button
          icon="close"
          tone="quiet"
          label={state === 'failed' ? `Dismiss ${name}` : `Cancel ${name}`}
          onClick={() => cancelUpload(id)}
        />
      )}
    </li>
  );
}
