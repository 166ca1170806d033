// Owns copying a text: a button that says when it is done. Where the browser lets no page copy (a page that was not loaded from this
// machine), the text is selected for whoever presses the keys.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { Button } from './button.tsx';

/** A text in a frame with a button that copies it. `label` says what it is. */
export function Secret({ text, label }: { readonly text: string; readonly label: string }) {
  const code = useRef<HTMLElement>(null);
  const isCopied = useSignal(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      isCopied.value = true;
    } catch {
      if (code.current !== null) getSelection()?.selectAllChildren(code.current);
    }
  };
  return (
    <div class="secret">
      <code ref={code} aria-label={label}>
        {text}
      </code>
      <Button icon={isCopied.value ? 'check' : 'copy'} onClick={() => void copy()} label={`Copy ${label}`}>
        {isCopied.value ? 'Copied' : 'Copy'}
      </Button>
      <span class="heard" role="status">
        {isCopied.value ? 'Copied.' : ''}
      </span>
    </div>
  );
}
