// Owns dropping onto the view of a group: whether something is held over it, and that what is let go of is shared.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { tell } from '../state/news.ts';
import { droppedThings } from './dropped-files.ts';
import { beginUpload } from './dropped-store.ts';

/** Whether files are held over `view`; they are shared in `group` when they are dropped. */
export function useDrop(view: { readonly current: HTMLElement | null }, group: string): boolean {
  const isOver = useSignal(false);
  useEffect(() => {
    const element = view.current;
    if (element === null) return;
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes('Files') !== true) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      isOver.value = true;
    };
    const leave = (event: DragEvent): void => {
      if (!element.contains(event.relatedTarget as Node | null)) isOver.value = false;
    };
    const drop = (event: DragEvent): void => {
      isOver.value = false;
      if (event.dataTransfer?.types.includes('Files') !== true) return;
      event.preventDefault();
      void share(event.dataTransfer, group);
    };
    element.addEventListener('dragover', over);
    element.addEventListener('dragleave', leave);
    element.addEventListener('drop', drop);
    return () => {
      element.removeEventListener('dragover', over);
      element.removeEventListener('dragleave', leave);
      element.removeEventListener('drop', drop);
    };
  }, [group]);
  return isOver.value;
}

async function share(transfer: DataTransfer, group: string): Promise<void> {
  try {
    for (const dropped of await droppedThings(transfer)) beginUpload({ group, dropped, replaces: null });
  } catch {
    tell({ tone: 'bad', text: 'The browser could not read what was dropped. Share it by its path instead.' });
  }
}
