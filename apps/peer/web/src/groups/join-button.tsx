// Owns asking to join a group.
import { command } from '../api/client.ts';
import { useAction } from '../parts/action.ts';
import { Button, type ButtonProps } from '../parts/button.tsx';
import { readGroups } from '../state/groups.ts';
import { tell, tellProblem } from '../state/news.ts';

/** Asks the owner of a group to let the user in. */
export function JoinButton({
  group,
  tone = 'main',
}: {
  readonly group: string;
  readonly tone?: ButtonProps['tone'] & string;
}) {
  const action = useAction(
    async () => {
      const answer = await command('join_group', { group });
      if (!answer.ok) tellProblem(answer.problem);
      await readGroups();
      return answer;
    },
    () => tell({ tone: 'good', text: `You asked to join ${group}. Its owner has to let you in.` }),
  );
  return (
    <Button tone={tone} isBusy={action.isBusy} onClick={action.run} label={`Ask to join ${group}`}>
      Ask to join
    </Button>
  );
}
