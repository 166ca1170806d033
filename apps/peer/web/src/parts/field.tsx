// Owns fields of forms: a label, an input, and beside it what is wrong with it in the words of the peer. A form that was refused puts the
// focus into the first field that is wrong.
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { fieldProblem } from '../api/problem.ts';
import { useFormProblem } from './form.tsx';

/** What a field is given. */
export interface FieldProps {
  /** What stands above it. */
  readonly label: string;
  /** Its name in the body of the request, by which the peer names what is wrong. */
  readonly name: string;
  /** What stands in it. */
  readonly text: Signal<string>;
  readonly type?: 'text' | 'password' | 'number';
  readonly hint?: ComponentChildren;
  readonly placeholder?: string;
  readonly autocomplete?: string;
  readonly isRequired?: boolean;
  /** Gets the focus when it appears. */
  readonly isFirst?: boolean;
  readonly min?: number;
  readonly max?: number;
}

/** One line of text. */
export function Field(props: FieldProps) {
  const { label, name, text, type = 'text', hint, isFirst = false } = props;
  const problem = useFormProblem();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isFirst) input.current?.focus();
  }, [isFirst]);
  const wrong = fieldProblem(problem, name);
  const described = [wrong === null ? '' : `${id}-problem`, hint === undefined || wrong !== null ? '' : `${id}-hint`]
    .join(' ')
    .trim();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        ref={input}
        id={id}
        class="input"
        name={name}
        // The types of attributes tell kinds of inputs apart, of which this is one or another.
        type={type as 'text'}
        value={text.value}
        placeholder={props.placeholder}
        autocomplete={props.autocomplete ?? 'off'}
        autocapitalize="none"
        spellcheck={false}
        required={props.isRequired ?? true}
        min={props.min}
        max={props.max}
        aria-invalid={wrong === null ? undefined : 'true'}
        aria-describedby={described === '' ? undefined : described}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      {wrong !== null && (
        <p id={`${id}-problem`} class="field-problem">
          {wrong}
        </p>
      )}
      {hint !== undefined && wrong === null && (
        <p id={`${id}-hint`} class="field-hint">
          {hint}
        </p>
      )}
    </div>
  );
}

/** A switch with words beside it. */
export function Check({
  label,
  isOn,
  onChange,
}: {
  readonly label: ComponentChildren;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

/** A field that searches what stands below it. */
export function SearchField({
  label,
  value,
  onInput,
  children,
}: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** Its icon. */
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="search" role="search">
      {children}
      <input
        class="input"
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}
