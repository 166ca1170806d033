// Owns the question before a transfer is removed. It says exactly what is deleted and what stays, and warns when the copy that goes is
// the last complete one that is online.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { TransferView } from '#wire/control-api';
import { LossWarning } from '../groups/last-copies.tsx';
import { useAction } from '../parts/action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Form } from '../parts/form.tsx';
import { removeTransfer, removing } from './transfer-actions.ts';
import { isServedWhole, removalWords } from './transfer-words.ts';

/** The question, while there is one; stands once in a view. */
export function RemovalDialog() {
  const transfer = removing.value;
  // The view that it stands in may go while it is open.
  useEffect(() => () => void (removing.value = null), []);
  if (transfer === null) return null;
  return <RemovalQuestion key={transfer.transferId} transfer={transfer} />;
}

function RemovalQuestion({ transfer }: { readonly transfer: TransferView }) {
  const data = useSignal<'keep' | 'delete'>('keep');
  const close = (): void => void (removing.value = null);
  const action = useAction(
    () => removeTransfer(transfer, data.value),
    () => {
      close();
      requestAnimationFrame(focusList);
    },
  );
  const isDeleting = data.value === 'delete';
  const { keeps, deletes } = removalWords(transfer);
  const { file, group, version } = transfer;
  return (
    <Dialog title={`Remove ${file}?`} onClose={close}>
      <Form
        action={action}
        submit={
          isDeleting ? { words: 'Remove and delete data', tone: 'danger main' } : { words: 'Remove', tone: 'main' }
        }
        onCancel={close}
      >
        {deletes === null ? (
          <p>The transfer leaves this list. {keeps}</p>
        ) : (
          <fieldset class="choices">
            <legend>The transfer leaves this list. What becomes of the data?</legend>
            <Choice
              name="keep"
              chosen={data.value}
              title="Keep it"
              detail={keeps}
              onChoose={(name) => (data.value = name)}
            />
            <Choice
              name="delete"
              chosen={data.value}
              title="Delete it"
              detail={deletes}
              onChoose={(name) => (data.value = name)}
            />
          </fieldset>
        )}
        {isServedWhole(transfer) && <LossWarning taken={{ group, file, ...(version !== null && { version }) }} />}
      </Form>
    </Dialog>
  );
}

/** What had the focus before may be gone with its row: the row at its place has it then. */
function focusList(): void {
  if (document.activeElement !== document.body) return;
  document.querySelector<HTMLElement>('.transfer-grid [role=row][tabindex="0"]')?.focus();
}

function Choice({
  name,
  chosen,
  title,
  detail,
  onChoose,
}: {
  readonly name: 'keep' | 'delete';
  readonly chosen: string;
  readonly title: string;
  readonly detail: string;
  readonly onChoose: (name: 'keep' | 'delete') => void;
}) {
  return (
    <label class="choice">
      <input type="radio" name="data" checked={chosen === name} onChange={() => onChoose(name)} />
      <span>
        <span class="choice-title">{title}</span>
        <span class="choice-detail">{detail}</span>
      </span>
    </label>
  );
}
