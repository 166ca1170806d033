// Owns asking where a download goes, what of it, and whether it may replace what is there.
import { useSignal } from '@preact/signals';
import type { FileItem } from '#wire/control-api';
import { command } from '../api/client.ts';
import { bytesText } from '../lists/amounts.ts';
import { useAction } from '../parts/action.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Check, Field } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';
import { Notice } from '../parts/notice.tsx';
import { tellBegun } from '../transfers/transfer-notices.ts';
import { keepDestination, keptDestination } from './kept-destination.ts';
import { LinesField, linesOf } from './lines-field.tsx';

interface DownloadDialogProps {
  readonly group: string;
  readonly item: FileItem;
  /** Whether whatever is the newest is wanted, and not this version for good. */
  readonly isNewest: boolean;
  readonly onClose: () => void;
}

/** The dialog. */
export function DownloadDialog(props: DownloadDialogProps) {
  const { item, isNewest, onClose } = props;
  const { destination, only, isReplacing, action } = useDownload(props);
  const isNobodyOnline = item.completeCopies + item.partialCopies === 0;
  return (
    <Dialog title={`Download ${item.file}`} onClose={onClose}>
      <p class="soft">
        {bytesText(item.totalBytes)}
        {isNewest ? '' : `, version ${item.version}`}, shared by {item.sharedBy}
      </p>
      {isNobodyOnline && (
        <Notice tone="warn">
          Nobody who has it is online. The download waits, and begins by itself when somebody comes.
        </Notice>
      )}
      <Form
        action={action}
        submit={{ words: 'Download', tone: 'main', icon: 'down' }}
        fields={['destination']}
        onCancel={onClose}
      >
        <Field
          label="Where to, on this machine"
          name="destination"
          text={destination}
          placeholder="/home/me/Downloads"
          hint="The whole path of a folder that exists, or of the file to be made in one."
          isFirst
        />
        <LinesField
          label="Only some files of a folder"
          hint="One on a line, like *.jpg or films/**; empty for everything."
          text={only}
        />
        <Check label="Replace what is there" isOn={isReplacing.value} onChange={(isOn) => (isReplacing.value = isOn)} />
      </Form>
    </Dialog>
  );
}

/** What is filled in, and the command that it comes to. */
function useDownload({ group, item: { file, version }, isNewest, onClose }: DownloadDialogProps) {
  const destination = useSignal(keptDestination());
  const isReplacing = useSignal(false);
  const only = useSignal('');
  const action = useAction(
    () => {
      const globs = linesOf(only.value);
      return command('download_file', {
        ...{ group, file, destination: destination.value.trim(), overwrite: isReplacing.value },
        ...(!isNewest && { version }),
        ...(globs.length > 0 && { only: globs }),
      });
    },
    ({ result }) => {
      keepDestination(destination.value.trim());
      tellBegun(`${file} is being downloaded.`, result.transferId);
      onClose();
    },
  );
  return { destination, only, isReplacing, action };
}
