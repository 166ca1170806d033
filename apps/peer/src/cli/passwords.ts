// Owns asking for passwords: one that is on the command line is taken, one that is left out is asked for without echo, and
// a new one twice, because nobody sees what they type.
import { PASSWORD_CHARACTERS_MIN } from '#wire/limits';
import type { Terminal } from './terminal.ts';

/** The two entries of a new password differ. */
export class PasswordsDiffer extends Error {
  constructor() {
    super('The two passwords differ: nothing was changed, try again.');
  }
}

/** A password that somebody has. */
export async function password(given: string | undefined, terminal: Terminal, question: string): Promise<string> {
  return given ?? (await terminal.readSecret(question));
}

/** A password that somebody chooses, for what the words say. A pipe says it once. */
export async function newPassword(given: string | undefined, terminal: Terminal, purpose: string): Promise<string> {
  if (given !== undefined) return given;
  const first = await terminal.readSecret(`${purpose} (${PASSWORD_CHARACTERS_MIN} characters or more): `);
  if (terminal.isTyped && first !== (await terminal.readSecret('Again: '))) throw new PasswordsDiffer();
  return first;
}
