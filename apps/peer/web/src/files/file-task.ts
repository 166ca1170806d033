// Owns what can be begun with the files of a group, and is asked about in a dialog.
import type { FileItem } from '#wire/control-api';

/** Something that a dialog asks about. */
export type FileTask =
  | { readonly kind: 'download'; readonly item: FileItem; readonly isNewest: boolean }
  | { readonly kind: 'open'; readonly item: FileItem }
  | { readonly kind: 'update'; readonly item: FileItem }
  | { readonly kind: 'share' };

/** Opens the dialog. */
export type OnFileTask = (task: FileTask) => void;
