// Owns forms: Enter sends them, the page is never left for it, and the browser's own bubbles do not stand in for the peer's sentences.
import type { ComponentChildren } from 'preact';
import type { Action } from './action.ts';

/** A form that runs an action. */
export function Form({
  action,
  label,
  children,
}: {
  readonly action: Action;
  /** What it is called, when no heading says so. */
  readonly label?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <form
      noValidate
      class="form"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        action.run();
      }}
    >
      {children}
    </form>
  );
}
