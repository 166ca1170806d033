// Owns logging in and signing up: one form with two faces. Who has just made a user is logged in at once.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { command } from '../api/client.ts';
import { Banners } from '../frame/banners.tsx';
import { useAction } from '../parts/action.ts';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';
import { Notice } from '../parts/notice.tsx';
import { readStatus, status } from '../state/session.ts';
import { DoorHead } from './door.tsx';

/** For who is let in, on a peer where nobody is logged in. */
export function LogIn() {
  const isNew = useSignal(false);
  const ended = status.value?.endedSession ?? null;
  const title = isNew.value ? 'Create a user' : 'Log in';
  useEffect(() => {
    document.title = `${title} · Cohort`;
  }, [title]);
  return (
    <>
      <Banners />
      <main class="door">
        <div class="card door-card">
          <DoorHead title={title} />
          {ended !== null && <Notice tone="warn">{ended.detail}</Notice>}
          <Credentials key={title} isNew={isNew.value} knownUser={isNew.value ? '' : (ended?.user ?? '')} />
          <div class="button-row">
            <span class="soft">{isNew.value ? 'You have a user already?' : 'New here?'}</span>
            <Button tone="quiet" onClick={() => (isNew.value = !isNew.value)}>
              {isNew.value ? 'Log in' : 'Create a user'}
            </Button>
          </div>
        </div>
        <p class="door-foot">
          Peer {status.value?.peerId.slice(0, 12)}, listening on {status.value?.listen}
        </p>
      </main>
    </>
  );
}

function Credentials({ isNew, knownUser }: { readonly isNew: boolean; readonly knownUser: string }) {
  const name = useSignal(knownUser);
  /** Who was made already, when only logging in did not work. */
  const made = useSignal('');
  const password = useSignal('');
  const action = useAction(
    async () => {
      const credentials = { user: name.value, password: password.value };
      const isMade = !isNew || made.value === name.value;
      const creation = isMade ? null : await command('create_user', credentials);
      if (creation?.ok === false) return creation;
      made.value = name.value;
      return command('login', credentials);
    },
    () => void readStatus(),
  );
  const words = isNew ? 'Create and log in' : 'Log in';
  return (
    <Form action={action} submit={{ words, tone: 'main' }} fields={['user', 'password']} label={words}>
      <Field label="User name" name="user" text={name} autocomplete="username" isFirst />
      <Field
        label="Password"
        name="password"
        type="password"
        text={password}
        autocomplete={isNew ? 'new-password' : 'current-password'}
        {...(isNew && { hint: '8 characters or more.' })}
      />
    </Form>
  );
}
