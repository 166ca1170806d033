// Owns what one command has at hand while it runs: the peer, the terminal, the flags that every command takes, and how an
// answer is shown. It is made anew for each line of the interactive prompt.
import { randomUUID } from 'node:crypto';
import type { CommandView } from '#wire/control-answers';
import { printableLines } from '#wire/printable-text';
import { ControlClient, findPeer, peerPlace } from './control-client.ts';
import type { Terminal } from './terminal.ts';
import { quotedWord } from './words.ts';

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly dataDir?: string;
  readonly controlTokenFile?: string;
  readonly json?: boolean;
  readonly commandId?: string;
}

/** Where a command runs. `interrupt` aborts when the person presses Ctrl-C. */
export interface InvocationPlace {
  readonly terminal: Terminal;
  readonly interrupt: AbortSignal;
  readonly flags: GlobalFlags;
  /** Whether it was typed at the prompt of `cohort shell`. */
  readonly isAtPrompt: boolean;
}

/** One run of one command. */
export class Invocation {
  readonly terminal: Terminal;
  readonly interrupt: AbortSignal;
  readonly flags: GlobalFlags;
  readonly commandId: string;
  readonly #isAtPrompt: boolean;
  #client: ControlClient | undefined;

  constructor({ terminal, interrupt, flags, isAtPrompt }: InvocationPlace) {
    this.terminal = terminal;
    this.#isAtPrompt = isAtPrompt;
    this.interrupt = interrupt;
    this.flags = flags;
    this.commandId = flags.commandId ?? randomUUID();
  }

  /** The running peer. Throws `NoRunningPeer`. */
  async client(): Promise<ControlClient> {
    this.#client ??= new ControlClient(
      await findPeer(peerPlace(this.flags, this.terminal.environment)),
      this.interrupt,
    );
    return this.#client;
  }

  /** The words as they are typed to reach the same peer. */
  typed(words: string): string {
    if (this.#isAtPrompt) return words;
    const { dataDir } = this.flags;
    return `cohort ${dataDir === undefined ? '' : `--data-dir ${quotedWord(dataDir)} `}${words}`;
  }

  /** Sends a command under this run's id. */
  async command(name: string, body: object): Promise<{ status: number; view: CommandView }> {
    const { status, body: view } = await (await this.client()).command(name, body, this.commandId);
    return { status, view: view as CommandView };
  }

  /** Shows an answer: as one line of JSON when asked for, else in words, of which a terminal obeys none. */
  show(answer: unknown, inWords: () => string): void {
    this.terminal.out(this.flags.json === true ? `${JSON.stringify(answer)}\n` : printableLines(inWords()));
  }
}
