// Owns buttons: one for each weight, all of them real buttons. One that works says so and takes no second click meanwhile, and keeps its
// focus: a disabled button would lose it.
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

/** What a button is given. `tone` says how much it weighs. */
export interface ButtonProps {
  readonly children?: ComponentChildren;
  /** Shown before the words, or alone when there are none. */
  readonly icon?: IconName;
  /** What it is called where it shows no words, or not enough of them. */
  readonly label?: string;
  readonly tone?: 'main' | 'quiet' | 'danger' | 'danger main' | 'danger quiet';
  readonly type?: 'button' | 'submit';
  /** Works on what it was told; takes no click until that is done. */
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  readonly onClick?: (event: MouseEvent) => void;
  readonly id?: string;
  /** Gets the focus when its dialog opens. */
  readonly isFirst?: boolean;
  readonly class?: string;
}

/** A button. */
export function Button(props: ButtonProps) {
  const { children, icon, label, tone = '', type = 'button', isBusy = false, isDisabled = false, onClick, id } = props;
  const isBare = children === undefined;
  return (
    <button
      {...(id !== undefined && { id })}
      type={type}
      class={`button ${tone} ${isBare ? 'icon-only' : ''} ${props.class ?? ''}`}
      aria-disabled={isBusy || isDisabled ? 'true' : undefined}
      aria-busy={isBusy ? 'true' : undefined}
      aria-label={label}
      autofocus={props.isFirst}
      title={isBare ? label : undefined}
      onClick={(event) => {
        if (isBusy || isDisabled) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {isBusy ? <Icon name="wait" class="turning" /> : icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}
