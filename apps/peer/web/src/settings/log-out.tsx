// Owns logging out: asked about only when it takes away a last copy, because it can be undone by logging in again.
import { command } from '../api/client.ts';
import { confirmedLoss } from '../groups/last-copies.tsx';
import { readStatus } from '../state/session.ts';
import { tellProblem } from '../state/news.ts';

/** Ends the session on this peer. */
export async function logOut(): Promise<void> {
  const body = <p>Your transfers pause, and nothing is shared from here until you log in again. Files on disk stay.</p>;
  const isSure = await confirmedLoss({}, { title: 'Log out?', body, action: 'Log out' });
  if (!isSure) return;
  const answer = await command('logout', {});
  if (answer.ok) await readStatus();
  else tellProblem(answer.problem);
}
