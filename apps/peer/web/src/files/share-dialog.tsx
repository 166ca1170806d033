// Owns sharing: a path on the machine of the peer, which is served from where it is, or files that this browser gives to the peer. The
// same for the next version of a file.
import { type Signal, useSignal } from '@preact/signals';
import type { PieceHash } from '#domain/command';
import type { FileItem } from '#wire/control-api';
import { command } from '../api/client.ts';
import { useAction } from '../parts/action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Check, Field } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';
import { tellBegun } from '../transfers/transfer-notices.ts';
import { beginUpload } from './dropped-store.ts';
import { chosenFiles } from './dropped-files.ts';
import { LinesField, linesOf } from './lines-field.tsx';

interface ShareDialogProps {
  readonly group: string;
  /** The file that gets its next version; null for a new one. */
  readonly replaced: FileItem | null;
  readonly onClose: () => void;
}

/** The dialog. */
export function ShareDialog(props: ShareDialogProps) {
  const { group, replaced, onClose } = props;
  const { path, name, exclude, hash, action } = useShare(props);
  return (
    <Dialog title={replaced === null ? `Share in ${group}` : `New version of ${replaced.file}`} onClose={onClose}>
      <Form
        action={action}
        submit={{ words: replaced === null ? 'Share' : 'Publish version', tone: 'main' }}
        fields={['path', 'name']}
        onCancel={onClose}
      >
        <Field
          label="Path on this machine"
          name="path"
          text={path}
          placeholder="/home/me/holidays"
          hint="The whole path of a file or a folder on the machine of the peer. It is served from there and not copied."
          isFirst
        />
        {replaced === null && <NameField name={name} />}
        <LinesField label="Leave out of a folder" hint="One on a line, like node_modules or **/*.log." text={exclude} />
        <Check
          label="Verify pieces with SHA-256, against members who might forge them"
          isOn={hash.value === 'sha256'}
          onChange={(isOn) => (hash.value = isOn ? 'sha256' : 'sha1')}
        />
      </Form>
      <FromBrowser group={group} replaced={replaced} onClose={onClose} />
    </Dialog>
  );
}

/** What is filled in, and the command that it comes to. */
function useShare({ group, replaced, onClose }: ShareDialogProps) {
  const path = useSignal('');
  const name = useSignal('');
  const exclude = useSignal('');
  const hash = useSignal<PieceHash>('sha1');
  const action = useAction(
    () => {
      const globs = linesOf(exclude.value);
      const chosenName = replaced?.file ?? name.value.trim();
      return command('upload_file', {
        ...{ group, path: path.value.trim(), hash: hash.value },
        ...(chosenName !== '' && { name: chosenName }),
        ...(globs.length > 0 && { exclude: globs }),
        ...(replaced !== null && { update: true }),
      });
    },
    ({ result }) => {
      const what = replaced === null ? 'It' : `The next version of ${replaced.file}`;
      tellBegun(`${what} is being shared in ${group}.`, result.transferId);
      onClose();
    },
  );
  return { path, name, exclude, hash, action };
}

function NameField({ name }: { readonly name: Signal<string> }) {
  return (
    <Field
      label="Name in the group"
      name="name"
      text={name}
      hint="Empty for the last part of the path."
      isRequired={false}
    />
  );
}

/** For what is not on the machine of the peer, or not found there by its path. */
function FromBrowser({ group, replaced, onClose }: ShareDialogProps) {
  const begin = (input: HTMLInputElement): void => {
    const files = chosenFiles(input.files ?? []);
    for (const dropped of files) beginUpload({ group, dropped, replaces: replaced?.file ?? null });
    if (files.length > 0) onClose();
  };
  return (
    <div class="from-browser">
      <p class="soft">Or give the peer a copy from this browser; dropping it on the list does the same.</p>
      <div class="button-row">
        <label class="button">
          Choose files
          <input
            class="heard"
            type="file"
            multiple={replaced === null}
            onChange={(event) => begin(event.currentTarget)}
          />
        </label>
        <label class="button">
          Choose a folder
          <input
            class="heard"
            type="file"
            {...{ webkitdirectory: true }}
            onChange={(event) => begin(event.currentTarget)}
          />
        </label>
      </div>
    </div>
  );
}
