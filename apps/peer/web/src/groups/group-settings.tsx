// Owns what can be set of a group, and leaving it.
import { useSignal } from '@preact/signals';
import type { GroupItem } from '#wire/control-api';
import { command } from '../api/client.ts';
import { useAction } from '../parts/action.ts';
import { Button } from '../parts/button.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Field } from '../parts/field.tsx';
import { Form } from '../parts/form.tsx';
import { go } from '../routing/router.ts';
import { readGroups } from '../state/groups.ts';
import { tell, tellProblem } from '../state/news.ts';
import { confirmedLoss } from './last-copies.tsx';

/** The tab. */
export function GroupSettings({ item }: { readonly item: GroupItem }) {
  return (
    <div class="view narrow">
      <section class="card card-body" aria-labelledby="about">
        <h2 id="about">About this group</h2>
        <Facts>
          <Fact name="Owner">{item.owner}</Fact>
          <Fact name="Copies wanted">
            {item.copies === 0 ? 'No wish' : `${item.copies} complete copies of each file`}
          </Fact>
        </Facts>
      </section>
      {item.membership === 'owner' && <Copies key={item.copies} item={item} />}
      <Leave item={item} />
    </div>
  );
}

function Copies({ item }: { readonly item: GroupItem }) {
  const copies = useSignal(String(item.copies));
  const action = useAction(
    () => command('set_copies', { group: item.group, copies: Number(copies.value) }),
    () => {
      void readGroups();
      tell({ tone: 'good', text: `What ${item.group} wants is set.` });
    },
  );
  return (
    <section class="card card-body" aria-labelledby="copies">
      <h2 id="copies">Copies of each file</h2>
      <Form action={action} submit={{ words: 'Save' }} fields={['copies']}>
        <Field
          label="Complete copies wanted"
          name="copies"
          type="number"
          min={0}
          text={copies}
          hint="Peers that were started with --keep-copies fetch what lacks copies by themselves. 0 is no wish."
        />
      </Form>
    </section>
  );
}

function Leave({ item }: { readonly item: GroupItem }) {
  const { group } = item;
  const action = useAction(
    async () => {
      const answer = await command('leave_group', { group });
      if (!answer.ok) tellProblem(answer.problem);
      await readGroups();
      return answer;
    },
    () => {
      tell({ tone: 'good', text: `You left ${group}.` });
      go({ place: 'groups' });
    },
  );
  const leave = async (): Promise<void> => {
    const body = (
      <p>
        You can no longer see or fetch its files, and what you share there is gone from it. Your files on disk stay.
      </p>
    );
    const question = { title: `Leave ${group}?`, body, action: 'Leave group', isDangerous: true, isAlwaysAsked: true };
    if (await confirmedLoss({ group }, question)) action.run();
  };
  return (
    <section class="card card-body" aria-labelledby="leave">
      <h2 id="leave">Leave</h2>
      <p class="soft">
        {item.membership === 'owner'
          ? 'You own this group: make another member the owner first, or be the last one out, which ends the group.'
          : 'What you share here goes with you. You can ask to join again.'}
      </p>
      <div class="button-row">
        <Button tone="danger" isBusy={action.isBusy} onClick={() => void leave()}>
          Leave group
        </Button>
      </div>
    </section>
  );
}
