// Owns asking for passwords: one that is left out is asked for without echo, and a new one twice, because nobody sees what they
// type. One on the command line is taken, with a warning: everybody on the machine can read it there.
import { PASSWORD_CHARACTERS_MIN } from '#wire/limits';
import type { Invocation } from './invocation.ts';

const SEEN_BY_ALL =
  'Warning: a password on the command line stands in the list of processes and in the history of the shell. Leave it out, and it ' +
  'is asked for, or read from standard input.\n';

/** The two entries of a new password differ. */
export class PasswordsDiffer extends Error {
  constructor() {
    super('The two passwords differ: nothing was changed, try again.');
  }
}

/** A password that somebody has. */
export async function password(
  { terminal, flags }: Invocation,
  given: string | undefined,
  question: string,
): Promise<string> {
  if (given === undefined) return terminal.readSecret(question);
  // A program that reads what is noted reads JSON.
  if (terminal.standsInProcessList(given) && flags.json !== true) terminal.note(SEEN_BY_ALL);
  return given;
}

/** A password that somebody chooses, for what the words say. A pipe says it once. */
export async function newPassword(invocation: Invocation, given: string | undefined, purpose: string): Promise<string> {
  const { terminal } = invocation;
  const question = `${purpose} (${PASSWORD_CHARACTERS_MIN} characters or more): `;
  const first = await password(invocation, given, question);
  const isTyped = given === undefined && terminal.isTyped;
  if (isTyped && first !== (await terminal.readSecret('Again: '))) throw new PasswordsDiffer();
  return first;
}
