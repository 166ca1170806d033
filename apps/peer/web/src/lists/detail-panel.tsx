// Owns the panel beside a long list that shows one of its rows in detail; where there is no room beside it, it lies above. The keyboard
// is taken into it when a key opened it, and back to the list when it is closed.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../parts/button.tsx';

/** What the style sheet takes for room enough. */
const NARROW = '(max-width: 1100px)';

/** The detail of what `subject` names. */
export function DetailPanel({
  subject,
  title,
  label,
  onClose,
  children,
}: {
  /** Is another one when another row is shown. */
  readonly subject: string;
  readonly title: string;
  /** What it is called as a region. */
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const isByKey = document.activeElement?.matches(':focus-visible') === true;
    if (isByKey || globalThis.matchMedia(NARROW).matches) heading.current?.focus();
  }, [subject]);
  const close = (): void => {
    const list = heading.current?.closest('.split')?.querySelector<HTMLElement>('[role=row][tabindex="0"]');
    onClose();
    list?.focus();
  };
  return (
    <section
      class="detail"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return;
        event.preventDefault();
        close();
      }}
    >
      <div class="detail-head">
        <h2 ref={heading} tabIndex={-1} class="detail-title">
          {title}
        </h2>
        <Button icon="close" label="Close the details" tone="quiet" onClick={close} />
      </div>
      <div class="detail-body">{children}</div>
    </section>
  );
}

/** A part of a detail under a heading. */
export function DetailPart({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <div class="detail-part">
      <h3>{title}</h3>
      {children}
    </div>
  );
}
