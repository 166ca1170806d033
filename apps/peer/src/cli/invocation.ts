// Owns what one command has at hand while it runs: the peer, the terminal, the flags that every command takes, and how an
// answer is shown. It is made anew for each line of the interactive prompt.
import { randomUUID } from 'node:crypto';
import type { CommandView } from '#wire/control-answers';
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

/** One run of one command. `interrupt` aborts when the person presses Ctrl-C. */
export class Invocation {
  readonly terminal: Terminal;
  readonly interrupt: AbortSignal;
  readonly flags: GlobalFlags;
  readonly commandId: string;
  #client: ControlClient | undefined;

  constructor(terminal: Terminal, interrupt: AbortSignal, flags: GlobalFlags) {
    this.terminal = terminal;
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
    const { dataDir } = this.flags;
    return `cohort ${dataDir === undefined ? '' : `--data-dir ${quotedWord(dataDir)} `}${words}`;
  }

  /** Sends a command under this run's id. */
  async command(name: string, body: object): Promise<{ status: number; view: CommandView }> {
    const { status, body: view } = await (await this.client()).command(name, body, this.commandId);
    return { status, view: view as CommandView };
  }

  /** Shows an answer: as one line of JSON when asked for, else in words. */
  show(answer: unknown, inWords: () => string): void {
    this.terminal.out(this.flags.json === true ? `${JSON.stringify(answer)}\n` : inWords());
  }
}
