// Owns who is logged in on this peer: the password, logging out, and leaving this browser.
import { useSignal } from '@preact/signals';
import { command, isShutOut, remove } from '../api/client.ts';
import { useAction } from '../parts/action.ts';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { Form, FormProblem } from '../parts/form.tsx';
import { tell } from '../state/news.ts';
import { user } from '../state/session.ts';
import { logOut } from './log-out.tsx';

/** The section. */
export function Account() {
  return (
    <>
      <section class="card card-body" aria-labelledby="password">
        <h2 id="password">Password of {user.value}</h2>
        <ChangePassword />
      </section>
      <section class="card card-body" aria-labelledby="log-out">
        <h2 id="log-out">Log out</h2>
        <p class="soft">Ends the session on this peer. Its transfers pause until you log in again.</p>
        <div class="button-row">
          <Button icon="logout" onClick={() => void logOut()}>
            Log out
          </Button>
        </div>
      </section>
      <LeaveBrowser />
    </>
  );
}

function ChangePassword() {
  const password = useSignal('');
  const newPassword = useSignal('');
  const action = useAction(
    () => command('change_password', { password: password.value, newPassword: newPassword.value }),
    () => {
      password.value = '';
      newPassword.value = '';
      tell({ tone: 'good', text: 'Your password is changed. Your sessions on other peers have ended.' });
    },
  );
  return (
    <Form
      action={action}
      submit={{ words: 'Change password' }}
      fields={['password', 'newPassword']}
      label="Change password"
    >
      <Field label="Current password" name="password" type="password" autocomplete="current-password" text={password} />
      <Field
        label="New password"
        name="newPassword"
        type="password"
        autocomplete="new-password"
        text={newPassword}
        hint="8 characters or more. Your sessions on other peers end."
      />
    </Form>
  );
}

function LeaveBrowser() {
  const action = useAction(
    () => remove('/page-sessions'),
    () => {
      isShutOut.value = true;
    },
  );
  return (
    <section class="card card-body" aria-labelledby="browser">
      <h2 id="browser">This browser</h2>
      <p class="soft">
        This browser is let in until this page has not been loaded in it for 30 days. On a machine of somebody else,
        take that back when you are done; the peer itself goes on.
      </p>
      <FormProblem problem={action.problem} />
      <div class="button-row">
        <Button isBusy={action.isBusy} onClick={action.run}>
          Forget this browser
        </Button>
      </div>
    </section>
  );
}
