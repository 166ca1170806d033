// Owns questions before something that cannot be taken back: asked from anywhere with one call, answered by a dialog. What is asked for
// is named on the button; nobody has to read "OK".
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

/** What is asked. */
export interface Question {
  readonly title: string;
  readonly body: ComponentChildren;
  /** What the button that goes ahead says, like "Leave group". */
  readonly action: string;
  readonly isDangerous?: boolean;
}

const asked = signal<(Question & { readonly answer: (isYes: boolean) => void }) | null>(null);

/** Resolves with whether to go ahead. A question that comes while another one is open is answered with no. */
export function confirmed(question: Question): Promise<boolean> {
  if (asked.peek() !== null) return Promise.resolve(false);
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer: (isYes) => {
        asked.value = null;
        resolve(isYes);
      },
    };
  });
}

/** Where questions appear; stands once on the page. */
export function Confirmations() {
  const question = asked.value;
  if (question === null) return null;
  const { title, body, action, isDangerous = false, answer } = question;
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      {body}
      <div class="dialog-actions">
        <Button isFirst={isDangerous} onClick={() => answer(false)}>
          Cancel
        </Button>
        <Button tone={isDangerous ? 'danger main' : 'main'} isFirst={!isDangerous} onClick={() => answer(true)}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
