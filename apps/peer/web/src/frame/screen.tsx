// Owns the shape of a place: its heading, what can be done there, its tabs, and its content as the page's `<main>`.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { TotalRate } from '../transfers/total-rate.tsx';

/** What a place is given. */
export interface ScreenProps {
  readonly title: string;
  /** Buttons at the end of the header. */
  readonly actions?: ComponentChildren;
  /** A `nav` below the header. */
  readonly tabs?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A place with its heading. */
export function Screen({ title, actions, tabs, children }: ScreenProps) {
  useEffect(() => {
    document.title = `${title} · Cohort`;
  }, [title]);
  return (
    <>
      <header class="header">
        <div class="header-title">
          <h1 class="cut" tabIndex={-1}>
            {title}
          </h1>
        </div>
        <TotalRate />
        {actions}
      </header>
      {tabs}
      <main class="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
