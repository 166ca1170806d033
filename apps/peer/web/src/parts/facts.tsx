// Owns facts about something: a name beside each.
import type { ComponentChildren } from 'preact';

/** A list of `Fact`s. */
export function Facts({ children }: { readonly children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

/** One of them; `isFixed` for what is compared letter by letter. */
export function Fact({
  name,
  isFixed = false,
  children,
}: {
  readonly name: string;
  readonly isFixed?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <>
      <dt>{name}</dt>
      <dd class={isFixed ? 'fixed' : undefined}>{children}</dd>
    </>
  );
}
