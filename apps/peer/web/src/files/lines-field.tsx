// Owns fields that take a list, one on a line.
import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';

/** The lines of a text that say something. */
export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Several lines of text. */
export function LinesField({
  label,
  hint,
  text,
}: {
  readonly label: string;
  readonly hint: string;
  readonly text: Signal<string>;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        class="input"
        rows={2}
        value={text.value}
        autocapitalize="none"
        spellcheck={false}
        aria-describedby={`${id}-hint`}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <p id={`${id}-hint`} class="field-hint">
        {hint}
      </p>
    </div>
  );
}
