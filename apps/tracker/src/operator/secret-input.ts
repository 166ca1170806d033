// Owns how an operator types a password: without echo at a terminal, as one line otherwise.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** A password that somebody chooses: asked for twice at a terminal, because nobody sees what they type. Null: they differ. */
export async function chosenSecret(question: string): Promise<string | null> {
  const first = await readSecret(question);
  return process.stdin.isTTY !== true || (await readSecret('Again: ')) === first ? first : null;
}

/** One line of standard input; at a terminal it is asked for, and not shown. */
async function readSecret(question: string): Promise<string> {
  const isTyped = process.stdin.isTTY === true;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, ...(isTyped && { output: silent, terminal: true }) });
  if (isTyped) process.stderr.write(question);
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isTyped) process.stderr.write('\n');
  }
}
