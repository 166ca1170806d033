// Owns dialogs: the browser's own, which keep the focus inside, close on Escape, and hide the rest of the page from everybody. When one is
// gone the focus is where it was.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from './button.tsx';

/** What a dialog is given. */
export interface DialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** It was closed: by its cross, Escape, or a click beside it. Whoever shows it takes it away. */
  readonly onClose: () => void;
  readonly isWide?: boolean;
}

/** A dialog that is open for as long as it is there. */
export function Dialog({ title, children, onClose, isWide = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    shown?.querySelector<HTMLElement>('[autofocus]')?.focus();
    return () => {
      shown?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${isWide ? 'wide' : ''}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <Button icon="close" label="Close" tone="quiet" onClick={onClose} />
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
