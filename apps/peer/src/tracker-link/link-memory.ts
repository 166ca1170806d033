// Owns how much of which log this peer has seen, and who is logged in on it at that point. Kept over restarts, so that a
// person reads their own writes from any tracker, and shares are served again before a tracker answers.
import { type FileReports, hasFields, readJsonIfSound, ReplacedFile } from '#identity/durable-file';

interface Remembered {
  readonly logId: string | null;
  /** Highest offset seen, -1 for none. */
  readonly seenOffset: number;
  readonly user: string | null;
  /** Where in the log `user` was true. */
  readonly userOffset: number;
}

const NOTHING: Remembered = { logId: null, seenOffset: -1, user: null, userOffset: -1 };

export class LinkMemory {
  readonly #file: ReplacedFile;
  #remembered: Remembered;

  private constructor(file: ReplacedFile, remembered: Remembered) {
    this.#file = file;
    this.#remembered = remembered;
  }

  static async open(path: string, { writeFailed, damaged }: FileReports): Promise<LinkMemory> {
    const remembered = await readJsonIfSound(path, { isSound: isRemembered, damaged });
    return new LinkMemory(new ReplacedFile(path, writeFailed), remembered ?? NOTHING);
  }

  get logId(): string | null {
    return this.#remembered.logId;
  }

  get seenOffset(): number {
    return this.#remembered.seenOffset;
  }

  get user(): string | null {
    return this.#remembered.user;
  }

  /** The trackers serve this log. With another one than before, nothing that was seen holds. */
  follow(logId: string): void {
    if (logId !== this.#remembered.logId) this.#store({ ...NOTHING, logId });
  }

  saw(offset: number): void {
    if (offset > this.#remembered.seenOffset) this.#store({ ...this.#remembered, seenOffset: offset });
  }

  /** Somebody says who is logged in as of an offset. Returns whether that is news. */
  userIs(user: string | null, asOfOffset: number): boolean {
    const { user: known, userOffset } = this.#remembered;
    if (asOfOffset < userOffset) return false;
    if (user === known) {
      this.#remembered = { ...this.#remembered, userOffset: asOfOffset };
      return false;
    }
    this.#store({ ...this.#remembered, user, userOffset: asOfOffset });
    return true;
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#file.settled();
  }

  #store(remembered: Remembered): void {
    this.#remembered = remembered;
    void this.#file.write(JSON.stringify(remembered));
  }
}

function isRemembered(value: unknown): value is Remembered {
  return hasFields(value, { logId: 'string?', seenOffset: 'number', user: 'string?', userOffset: 'number' });
}
