// Owns what somebody sees whom the peer does not let in: what to type on its machine, and a field for the control token of who cannot.
import { useSignal } from '@preact/signals';
import icon from '../../icon.svg';
import { useAction } from '../parts/action.ts';
import { Field } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';
import { Notice } from '../parts/notice.tsx';
import { enter, startProblem, ticketProblem } from '../state/session.ts';

/** The door. */
export function Door() {
  const token = useSignal('');
  const action = useAction(() => enter({ token: token.value.trim() }));
  return (
    <main class="door">
      <div class="card door-card">
        <DoorHead title="Open this page from its peer" />
        {ticketProblem.value !== null && <Notice tone="warn">{ticketProblem.value.detail}</Notice>}
        <p class="soft">On the machine where the peer runs, type:</p>
        <code class="command-line">cohort open</code>
        <p class="soft">
          It opens this page and lets this browser in, for 30 days from its last visit. Name the peer with{' '}
          <code>--data-dir</code> as with every command, as in <code>npx cohort --data-dir .cohort/alice open</code>.
        </p>
        <Form action={action} submit={{ words: 'Let me in' }} fields={['token']}>
          <Field
            label="Or paste the control token"
            name="token"
            type="password"
            text={token}
            hint={
              <>
                It stands in the file <code>control-token</code> of the peer's data directory.
              </>
            }
          />
        </Form>
      </div>
    </main>
  );
}

/** The mark and a heading. */
export function DoorHead({ title }: { readonly title: string }) {
  return (
    <>
      <div class="brand">
        <img src={icon} alt="" />
        Cohort
      </div>
      <h1 tabIndex={-1}>{title}</h1>
    </>
  );
}

/** Before the peer has answered for the first time; says so when it does not. */
export function Starting() {
  const problem = startProblem.value;
  return (
    <main class="door" aria-busy={problem === null}>
      {problem !== null && (
        <div class="card door-card" role="alert">
          <DoorHead title="The peer does not answer" />
          <p class="soft">{problem.detail}</p>
        </div>
      )}
    </main>
  );
}
