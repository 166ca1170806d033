// Owns keys for programs: made with a name and a scope, shown once, ended at any time.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { ApiKeyItem, NewApiKeyView } from '#wire/control-api';
import type { ApiKeyScope } from '#wire/control-requests';
import { getAll, part, post, remove } from '../api/client.ts';
import { useLiveView } from '../live/live-view.ts';
import { useAction } from '../parts/action.ts';
import { Button } from '../parts/button.tsx';
import { confirmed } from '../parts/confirmation.tsx';
import { Secret } from '../parts/copy-button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';
import { Badge, Empty, Loading, Notice, ViewProblem } from '../parts/notice.tsx';
import { Row } from '../parts/row.tsx';
import { Time } from '../parts/time.tsx';
import { tell, tellProblem } from '../state/news.ts';

const SCOPES: readonly { readonly scope: ApiKeyScope; readonly about: string }[] = [
  { scope: 'read', about: 'sees everything that this page shows, but no content of files' },
  { scope: 'transfer', about: 'also reads, shares and downloads files' },
  { scope: 'admin', about: 'may do everything, as you can here' },
];

/** The section. */
export function ApiKeys() {
  const view = useLiveView('keys', (interrupt) => getAll<ApiKeyItem>('/api-keys', interrupt), []);
  const isMaking = useSignal(false);
  const make = (
    <Button tone="main" icon="plus" onClick={() => (isMaking.value = true)}>
      New key
    </Button>
  );
  return (
    <section aria-labelledby="keys">
      <div class="section-title">
        <h2 id="keys">Keys for programs</h2>
        {view.value !== null && view.value.length > 0 && make}
      </div>
      <Keys view={view} make={make} />
      <p class="soft">
        Programs send a key as a bearer token. What they can ask is described at <a href="/api/docs">/api/docs</a>.
      </p>
      {isMaking.value && (
        <NewKey
          onClose={() => {
            isMaking.value = false;
            view.reload();
          }}
        />
      )}
    </section>
  );
}

interface KeysProps {
  readonly view: ReturnType<typeof useLiveView<readonly ApiKeyItem[]>>;
  readonly make: ComponentChildren;
}

function Keys({ view, make }: KeysProps) {
  const { value, problem, reload } = view;
  if (value === null)
    return problem === null ? <Loading what="keys" /> : <ViewProblem problem={problem} onRetry={reload} />;
  if (value.length === 0) {
    return (
      <div class="card">
        <Empty icon="key" title="There are no keys" actions={make}>
          Give each program a key of its own, with no more rights than it needs, and end it when it is not needed any
          more.
        </Empty>
      </div>
    );
  }
  return (
    <ul class="card rows">
      {value.map((key) => (
        <KeyRow key={key.keyId} item={key} onChange={reload} />
      ))}
    </ul>
  );
}

function KeyRow({ item, onChange }: { readonly item: ApiKeyItem; readonly onChange: () => void }) {
  const { keyId, name, scope, createdAt } = item;
  const action = useAction(async () => {
    const answer = await remove(`/api-keys/${part(keyId)}`);
    if (answer.ok) tell({ tone: 'good', text: `The key ${name} is worth nothing any more.` });
    else tellProblem(answer.problem);
    onChange();
    return answer;
  });
  const end = async (): Promise<void> => {
    const body = <p>Programs that use it are refused from then on.</p>;
    if (await confirmed({ title: `Delete the key ${name}?`, body, action: 'Delete key', isDangerous: true }))
      action.run();
  };
  return (
    <Row
      title={name}
      about={
        <>
          made <Time at={createdAt} />
        </>
      }
    >
      <Badge>{scope}</Badge>
      <Button tone="danger quiet" isBusy={action.isBusy} label={`Delete key ${name}`} onClick={() => void end()}>
        Delete
      </Button>
    </Row>
  );
}

function NewKey({ onClose }: { readonly onClose: () => void }) {
  const made = useSignal<NewApiKeyView | null>(null);
  return (
    <Dialog title={made.value === null ? 'New key' : `The key ${made.value.name}`} onClose={onClose}>
      {made.value === null ? (
        <KeyForm onMade={(key) => (made.value = key)} onClose={onClose} />
      ) : (
        <>
          <Notice tone="warn">Copy it now: it is not shown again.</Notice>
          <Secret text={made.value.key} label="API key" />
          <div class="dialog-actions">
            <Button tone="main" onClick={onClose}>
              Done
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

interface KeyFormProps {
  readonly onMade: (key: NewApiKeyView) => void;
  readonly onClose: () => void;
}

function KeyForm({ onMade, onClose }: KeyFormProps) {
  const name = useSignal('');
  const scope = useSignal<ApiKeyScope>('read');
  const action = useAction(() => post<NewApiKeyView>('/api-keys', { name: name.value, scope: scope.value }), onMade);
  return (
    <Form action={action} submit={{ words: 'Create key', tone: 'main' }} fields={['name']} onCancel={onClose}>
      <Field label="Name" name="name" text={name} hint="The program that it is for, like backup." isFirst />
      <fieldset class="choices">
        <legend class="field-label">What it may do</legend>
        {SCOPES.map((choice) => (
          <label key={choice.scope} class="check" for={`scope-${choice.scope}`}>
            <input
              id={`scope-${choice.scope}`}
              type="radio"
              name="scope"
              checked={scope.value === choice.scope}
              onChange={() => (scope.value = choice.scope)}
            />
            <span>
              <strong>{choice.scope}</strong> <span class="soft">{choice.about}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </Form>
  );
}
