// Owns the key that goes to the search of a list: `/`, wherever the keyboard is but in a field.
import { useEffect } from 'preact/hooks';

/** Takes `/` to the search field below `view`. */
export function useSearchKey(view: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const isElsewhere = (event.target as HTMLElement).closest('input, textarea, select, dialog') !== null;
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isElsewhere) return;
      const field = view.current?.querySelector<HTMLInputElement>('input[type=search]');
      if (field === null || field === undefined) return;
      event.preventDefault();
      field.select();
      field.focus();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [view]);
}
