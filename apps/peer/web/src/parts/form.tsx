// Owns forms: fields, below them what is wrong that no field says, and the button that sends them; in a dialog with the way out beside it.
// Enter sends them, the page is never left for it, and the browser's own bubbles do not stand in for the peer's sentences.
import { type ComponentChildren, createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type PageProblem, restOfProblem } from '../api/problem.ts';
import type { Action } from './action.ts';
import { Button, type ButtonProps } from './button.tsx';

interface FormProps {
  /** What it runs. */
  readonly action: Action;
  /** The button that sends it. */
  readonly submit: Pick<ButtonProps, 'icon' | 'tone'> & { readonly words: string };
  /** Names of its fields: they say what is wrong with them themselves. */
  readonly fields?: readonly string[];
  /** What it is called, when no heading says so. */
  readonly label?: string;
  /** In a dialog: leaves it. */
  readonly onCancel?: () => void;
  readonly children?: ComponentChildren;
}

const ProblemOfForm = createContext<PageProblem | null>(null);

/** A form that runs an action. */
export function Form({ action, submit: { words, ...look }, fields = [], label, onCancel, children }: FormProps) {
  return (
    <form
      noValidate
      class="form"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        action.run();
      }}
    >
      <ProblemOfForm.Provider value={action.problem}>{children}</ProblemOfForm.Provider>
      <FormProblem problem={action.problem} fields={fields} />
      <div class={onCancel === undefined ? 'button-row' : 'dialog-actions'}>
        {onCancel !== undefined && <Button onClick={onCancel}>Cancel</Button>}
        <Button type="submit" isBusy={action.isBusy} {...look}>
          {words}
        </Button>
      </div>
    </form>
  );
}

/** Why the form around it was refused; null when it was not. */
export function useFormProblem(): PageProblem | null {
  return useContext(ProblemOfForm);
}

/** What is wrong with something as a whole: said at once to who listens. `fields` say what is wrong with them themselves. */
export function FormProblem({
  problem,
  fields = [],
}: {
  readonly problem: PageProblem | null;
  readonly fields?: readonly string[];
}) {
  const rest = restOfProblem(problem, fields);
  return <div role="alert">{rest !== null && <p class="form-problem">{rest}</p>}</div>;
}
