// Owns the detail of one file of a group: who has it now, what can be done with it, its versions, and the facts.
import type { FileItem } from '#wire/control-api';
import { bytesText, countText } from '../lists/amounts.ts';
import { DetailPanel, DetailPart } from '../lists/detail-panel.tsx';
import { useLiveView } from '../live/live-view.ts';
import { Button } from '../parts/button.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Empty } from '../parts/notice.tsx';
import { Time } from '../parts/time.tsx';
import { hrefOf } from '../routing/route.ts';
import { groupOf } from '../state/groups.ts';
import { user } from '../state/session.ts';
import { transferIdOfFile, transferOf } from '../transfers/transfer-store.ts';
import { progressText, stateWords } from '../transfers/transfer-words.ts';
import { Availability } from './file-cells.tsx';
import type { FileChanges } from './file-index.ts';
import type { OnFileTask } from './file-task.ts';
import { versionsOf } from './file-versions.ts';
import type { GroupFiles } from './group-files.ts';
import { isHere, stopSharing, takeOut } from './stop-sharing.tsx';

interface FileDetailProps {
  readonly files: GroupFiles;
  readonly file: string;
  readonly onTask: OnFileTask;
  readonly onClose: () => void;
}

/** The panel of a file; of one that is gone it says so. */
export function FileDetail({ files, file, onTask, onClose }: FileDetailProps) {
  const item = files.find(file);
  if (item === null) {
    if (!files.isComplete.value) return null;
    return (
      <DetailPanel subject={file} title={file} label="Details" onClose={onClose}>
        <Empty icon="file" title="The group has no such file">
          It may have been taken out, or has been shared under another name.
        </Empty>
      </DetailPanel>
    );
  }
  return (
    <DetailPanel subject={file} title={file} label={`Details of ${file}`} onClose={onClose}>
      <Availability item={item} />
      <OwnCopy group={files.group} item={item} />
      <Actions group={files.group} item={item} onTask={onTask} />
      <DetailPart title="Versions">
        <Versions group={files.group} item={item} onTask={onTask} />
      </DetailPart>
      <DetailPart title="Facts">
        <FileFacts group={files.group} item={item} />
      </DetailPart>
    </DetailPanel>
  );
}

interface ItemProps {
  readonly group: string;
  readonly item: FileItem;
}

/** What this peer has of it, and the way there. */
function OwnCopy({ group, item }: ItemProps) {
  const view = transferOf(transferIdOfFile(group, item.file, item.version))?.value.view;
  if (view === undefined) return <p class="soft">This peer has no copy of it.</p>;
  return (
    <p>
      <span class="soft">This peer: </span>
      {stateWords(view).word}, {progressText(view)}.{' '}
      <a href={hrefOf({ place: 'transfers', transferId: view.transferId })}>Show the transfer</a>
    </p>
  );
}

function Actions({ group, item, onTask }: ItemProps & { readonly onTask: OnFileTask }) {
  const isOwn = item.sharedBy === user.value;
  const isTrusted = isOwn || groupOf(group)?.owner === user.value;
  const isWholeHere = isHere(group, item);
  return (
    <div class="button-row">
      {!isWholeHere && (
        <Button icon="down" tone="main" onClick={() => onTask({ kind: 'download', item, isNewest: true })}>
          Download
        </Button>
      )}
      <Button icon="play" onClick={() => onTask({ kind: 'open', item })}>
        Open
      </Button>
      {isTrusted && (
        <Button icon="up" onClick={() => onTask({ kind: 'update', item })}>
          New version
        </Button>
      )}
      {isWholeHere && <Button onClick={() => void stopSharing(group, item)}>Stop sharing</Button>}
      {isTrusted && (
        <Button tone="danger" onClick={() => void takeOut(group, item)}>
          Take out of the group
        </Button>
      )}
    </div>
  );
}

function Versions({ group, item, onTask }: ItemProps & { readonly onTask: OnFileTask }) {
  const { value, problem } = useLiveView(`${group}/${item.file}`, () => versionsOf(group, item.file), [
    { type: 'files_changed', when: (changes: FileChanges) => isAbout(changes, item.file) },
    { type: 'group_changed', when: (event: { group: string }) => event.group === group },
  ]);
  if (problem !== null && value === null) return <p class="field-problem">{problem.detail}</p>;
  return (
    <ul class="versions">
      {(value ?? [item]).map((version) => (
        <li key={version.version}>
          <div class="version-words">
            <strong>Version {version.version}</strong>
            <span class="small soft">
              {bytesText(version.totalBytes)}, {version.sharedBy}, <Time at={version.sharedAt} />
            </span>
          </div>
          <Availability item={version} />
          <Button
            icon="down"
            tone="quiet"
            label={`Download version ${version.version}`}
            onClick={() => onTask({ kind: 'download', item: version, isNewest: version.version === item.version })}
          />
        </li>
      ))}
    </ul>
  );
}

function isAbout({ items, removed }: FileChanges, file: string): boolean {
  return items.some((item) => item.file === file) || removed.some((item) => item.file === file);
}

function FileFacts({ group, item }: ItemProps) {
  const { contentId, totalBytes, pieceBytes, pieceCount, sharedBy, sharedAt, wantedCopies } = item;
  const sha1 = transferOf(transferIdOfFile(group, item.file, item.version))?.value.view.sha1 ?? null;
  const wanted =
    wantedCopies === 0
      ? 'The group has no wish.'
      : `The group wants ${countText(wantedCopies, 'complete copy', 'complete copies')}.`;
  return (
    <Facts>
      <Fact name="Size">
        {bytesText(totalBytes)} <span class="soft">({totalBytes.toLocaleString('en')} bytes)</span>
      </Fact>
      <Fact name="Pieces">
        {pieceCount === 0 ? 'None: it is empty.' : `${countText(pieceCount, 'piece')} of ${bytesText(pieceBytes)}`}
      </Fact>
      <Fact name="Shared">
        by {sharedBy}, <Time at={sharedAt} />
      </Fact>
      <Fact name="Copies wanted">{wanted}</Fact>
      {sha1 !== null && (
        <Fact name="SHA-1">
          <code>{sha1}</code>
        </Fact>
      )}
      <Fact name="Content id">
        <code>{contentId}</code>
      </Fact>
    </Facts>
  );
}
