// Owns what is said in the place of something: an empty list and what to do next, a notice, a problem with a way to try again, a badge.
import type { ComponentChildren } from 'preact';
import type { PageProblem } from '../api/problem.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

/** What stands where nothing is yet: what that means, and what to do about it. */
export function Empty({
  icon,
  title,
  children,
  actions,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly actions?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {actions !== undefined && <div class="button-row">{actions}</div>}
    </div>
  );
}

/** How a notice or a badge is meant. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'accent';

/** Something that should be read, where it matters. */
export function Notice({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ComponentChildren }) {
  return (
    <div class={`notice ${tone}`}>
      <Icon name={tone === 'bad' || tone === 'warn' ? 'alert' : 'info'} />
      <div>{children}</div>
    </div>
  );
}

/** A word or two in a colour, which never says it alone. */
export function Badge({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** Why a view could not be read, and a way to try again. */
export function ViewProblem({ problem, onRetry }: { readonly problem: PageProblem; readonly onRetry: () => void }) {
  return (
    <div role="alert">
      <Empty icon="alert" title="This could not be read" actions={<Button onClick={onRetry}>Try again</Button>}>
        {problem.detail}
      </Empty>
    </div>
  );
}

/** A list that is being read for the first time: said to who listens, shown only when it takes a while. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="loading" role="status">
      Reading {what} …
    </p>
  );
}
