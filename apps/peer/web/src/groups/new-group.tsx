// Owns making a group.
import { useSignal } from '@preact/signals';
import { command } from '../api/client.ts';
import { useAction } from '../parts/action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
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
      <Form action={action} submit={{ words: 'Create group', tone: 'main' }} fields={['group']} onCancel={onClose}>
        <Field
          label="Name"
          name="group"
          text={name}
          hint="Everybody with an account sees the names of groups, and who owns them. You own this one, and let others in."
          isFirst
        />
      </Form>
    </Dialog>
  );
}
