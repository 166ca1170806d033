// Owns the files of a group: the list, beside it the file that is looked at, and the dialogs in which files are downloaded, shared and
// opened. What is dropped anywhere on it is shared.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { countText } from '../lists/amounts.ts';
import { rowHeight } from '../lists/row-height.ts';
import { useSearchKey } from '../lists/search-key.ts';
import { WindowedGrid } from '../lists/windowed-grid.tsx';
import { Button } from '../parts/button.tsx';
import { SearchField } from '../parts/field.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Loading, ViewProblem } from '../parts/notice.tsx';
import { go } from '../routing/router.ts';
import { DownloadDialog } from './download-dialog.tsx';
import { DroppedUploads } from './dropped-uploads.tsx';
import { fileColumns } from './file-cells.tsx';
import { FileDetail } from './file-detail.tsx';
import { type FileColumn, orderAfterClick } from './file-index.ts';
import { type FileTask, type OnFileTask } from './file-task.ts';
import { GroupFiles } from './group-files.ts';
import { OpenDialog } from './open-dialog.tsx';
import { isHere, stopSharing } from './stop-sharing.tsx';
import { ShareDialog } from './share-dialog.tsx';
import { useDrop } from './use-drop.ts';

/** The files of a group that the user is in, and one of them that is looked at. */
export function FilesView({ group, file }: { readonly group: string; readonly file: string | undefined }) {
  const files = useSignal<GroupFiles | null>(null);
  const task = useSignal<FileTask | null>(null);
  const view = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const followed = new GroupFiles(group);
    files.value = followed;
    return () => followed.close();
  }, [group]);
  useSearchKey(view);
  const isOver = useDrop(view, group);
  const onTask: OnFileTask = (next) => void (task.value = next);
  const opened = file === undefined ? null : file;
  return (
    <div class={opened === null ? 'view filling split' : 'view filling split has-detail'} ref={view}>
      <div class="split-list">
        {files.value !== null && <Files files={files.value} openFile={opened} onTask={onTask} />}
        <DroppedUploads group={group} />
      </div>
      {opened !== null && files.value !== null && (
        <FileDetail files={files.value} file={opened} onTask={onTask} onClose={() => go({ place: 'files', group })} />
      )}
      {isOver && <DropPlace group={group} />}
      <TaskDialog group={group} task={task.value} onClose={() => (task.value = null)} />
    </div>
  );
}

interface FilesProps {
  readonly files: GroupFiles;
  readonly openFile: string | null;
  readonly onTask: OnFileTask;
}

function Files({ files, openFile, onTask }: FilesProps) {
  const problem = files.problem.value;
  const isEmpty = files.count === 0;
  if (isEmpty && problem !== null) return <ViewProblem problem={problem} onRetry={() => files.reload()} />;
  if (isEmpty && !files.isComplete.value) return <Loading what="files" />;
  const share = (
    <Button icon="plus" tone="main" onClick={() => onTask({ kind: 'share' })}>
      Share
    </Button>
  );
  if (isEmpty) {
    return (
      <Empty icon="files" title="Nothing is shared in this group yet" actions={share}>
        Share a file or a folder, or drop one anywhere here. It stays where it is on this machine, and members fetch it
        from there.
      </Empty>
    );
  }
  return (
    <>
      <div class="list-bar">
        <SearchField label="Search files" value={files.search.value} onInput={(text) => (files.search.value = text)}>
          <Icon name="search" />
        </SearchField>
        <FileCount files={files} />
        {share}
      </div>
      <FileGrid files={files} openFile={openFile} onTask={onTask} />
    </>
  );
}

function FileCount({ files }: { readonly files: GroupFiles }) {
  const [shown, all] = [files.rows.value.length, files.count];
  const of = shown === all ? '' : `${shown.toLocaleString('en')} of `;
  return (
    <span class="soft list-count" role="status">
      {of}
      {countText(all, 'file')}
      {files.isComplete.value ? '' : ' …'}
    </span>
  );
}

function FileGrid({ files, openFile, onTask }: FilesProps) {
  const columns = useRef(fileColumns(files.group, onTask));
  const rows = files.rows.value;
  if (rows.length === 0) {
    return (
      <Empty
        icon="search"
        title={`No file is like “${files.search.value}”`}
        actions={<Button onClick={() => (files.search.value = '')}>Show all files</Button>}
      />
    );
  }
  return (
    <WindowedGrid
      label={`Files of ${files.group}`}
      className="file-grid"
      columns={columns.current}
      rows={rows}
      rowHeight={rowHeight.value}
      order={files.order}
      openKey={openFile}
      keyOf={({ item }) => item.file}
      onSort={(column) => files.sort(orderAfterClick(files.order, column as FileColumn))}
      onOpen={({ item }) => go({ place: 'files', group: files.group, file: item.file })}
      onKey={(key, { item }) => {
        if (key === 'Delete' && isHere(files.group, item)) void stopSharing(files.group, item);
      }}
    />
  );
}

function DropPlace({ group }: { readonly group: string }) {
  return (
    <div class="drop-place" aria-hidden="true">
      <Icon name="up" />
      <strong>Drop it to share it in {group}</strong>
      <span>A copy goes to the peer and is served from there.</span>
    </div>
  );
}

interface TaskDialogProps {
  readonly group: string;
  readonly task: FileTask | null;
  readonly onClose: () => void;
}

function TaskDialog({ group, task, onClose }: TaskDialogProps) {
  switch (task?.kind) {
    case 'download':
      return <DownloadDialog group={group} item={task.item} isNewest={task.isNewest} onClose={onClose} />;
    case 'open':
      return <OpenDialog group={group} item={task.item} onClose={onClose} />;
    case 'share':
      return <ShareDialog group={group} replaced={null} onClose={onClose} />;
    case 'update':
      return <ShareDialog group={group} replaced={task.item} onClose={onClose} />;
    case undefined:
      return null;
  }
}
