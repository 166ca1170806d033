// Owns making a group.
import { useSignal } from '@preact/signals';
import { command } from '../api/client.ts';
import { useAction } from '../parts/action.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field, FormProblem } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';
import { go } from '../routing/router.ts';
import { readGroups } from '../state/groups.ts';

/** The dialog; the new group is gone to when there is one. */
export function NewGroup({ onClose }: { readonly onClose: () => void }) {
  const name = useSignal('');
  const action = useAction(
    async () => {
      const answer = await command('create_group', { group: name.value });
      if (answer.ok) await readGroups();
      return answer;
    },
    () => {
      onClose();
      go({ place: 'files', group: name.value.normalize('NFC') });
    },
  );
  return (
    <Dialog title="New group" onClose={onClose}>
      <Form action={action}>
        <Field
          label="Name"
          name="group"
          value={name.value}
          onInput={(value) => (name.value = value)}
          problem={action.problem}
          hint="Everybody with an account sees the names of groups, and who owns them. You own this one, and let others in."
          isFirst
        />
        <FormProblem problem={action.problem} fields={['group']} />
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="main" isBusy={action.isBusy}>
            Create group
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
