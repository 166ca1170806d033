// Owns the rows of short lists: what it is, a line about it, and at the end what stands for it or can be done with it.
import type { ComponentChildren } from 'preact';

/** A row of a `rows` list. */
export function Row({
  title,
  about,
  children,
}: {
  readonly title: ComponentChildren;
  readonly about: ComponentChildren;
  /** What stands at its end. */
  readonly children?: ComponentChildren;
}) {
  return (
    <li class="row">
      <div class="row-text">
        <strong class="cut">{title}</strong>
        <span class="soft">{about}</span>
      </div>
      {children}
    </li>
  );
}
