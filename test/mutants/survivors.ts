// Owns why a mutant may live: each that no test can find, by the line that it changes and what it writes there. Lines and not
// their numbers, so that an explanation stays with its line when others move, and is void when that line changes.

/** Mutants of one line that change nothing anybody could see. */
export interface Explained {
  readonly file: string;
  /** The line without its indentation. */
  readonly line: string;
  /** What the mutants write, each as the list of survivors shows it. */
  readonly mutants: readonly string[];
  readonly why: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    file: 'apps/tracker/src/replica/checkpoint-ledger.ts',
    line: 'this.#vindicated.delete(trackerId);',
    mutants: ['this.#vindicated.delete(trackerId); → ;'],
    why: 'of the two such lines the one for a ruling: until that tracker agrees, which does the same, nothing of it is looked at',
  },
  {
    file: 'apps/tracker/src/replica/checkpoint-writer.ts',
    line: 'if (this.#replica.newsCount >= CHECKPOINT_NEWS_MAX) void this.look();',
    mutants: ['this.#replica.newsCount >= CHECKPOINT_NEWS_MAX → true'],
    why: 'a second look at what is due; this one keeps it from being taken at every record',
  },
  {
    file: 'apps/tracker/src/replica/checkpoint-writer.ts',
    line: 'await Promise.race([this.#writeLast(), sleep(LAST_CHECKPOINT_MS, undefined, { ref: false })]);',
    mutants: ['{ ref: false } → {}', 'false → true'],
    why: 'a process that has nothing else to do ends half a second sooner',
  },
  {
    file: 'apps/tracker/src/replica/checkpoint-writer.ts',
    line: 'if (this.#replica.healedSize > this.#signedSize || this.#hasSignedWrongly()) return true;',
    mutants: ['this.#replica.healedSize > this.#signedSize → false'],
    why: 'who has computed everything anew is in dispute with what it signed before, which is looked at as well',
  },
  {
    file: 'apps/tracker/src/replica/checkpoint-writer.ts',
    line: 'return wereInForce && size <= this.#replica.coveredSize && size > (this.#unsigned?.size ?? 0);',
    mutants: ['size > (this.#unsigned?.size ?? 0) → size >= (this.#unsigned?.size ?? 0)'],
    why: 'two checkpoints of one size that agree say the same',
  },
  {
    file: 'apps/tracker/src/replica/checkpoint-writer.ts',
    line: 'const isSame = this.#replica.rootAt(last) === root && this.#replica.digestAt(last) === digest;',
    mutants: ['this.#replica.rootAt(last) === root → true'],
    why: 'a tracker halts at a checkpoint with another root, and signs nothing any more',
  },
  {
    file: 'apps/tracker/src/replica/derived-state.ts',
    line: 'return credential?.offset === this.state.users.get(user)?.credentialOffset ? (credential?.phc ?? null) : null;',
    mutants: ['credential?.offset === this.state.users.get(user)?.credentialOffset → true'],
    why: 'a hash is forgotten with the record that sets another, so what is held is in force; this is the second lock',
  },
  {
    file: 'apps/tracker/src/replica/derived-state.ts',
    line: 'if (phc === null) this.#credentials.delete(event.user);',
    mutants: ['phc === null → false', 'this.#credentials.delete(event.user); → ;'],
    why: 'a hash of an older record than the one in force is not given out: each of the two locks holds alone',
  },
  {
    file: 'apps/tracker/src/replica/digest-history.ts',
    line: 'if (!Number.isSafeInteger(offset) || offset < 0 || offset >= this.#size) return null;',
    mutants: ['offset < 0 → false'],
    why: 'below 0 there is no chunk, and no remainder is 1,023',
  },
  {
    file: 'apps/tracker/src/replica/record-signature.ts',
    line: 'if (key === undefined) {',
    mutants: ['key === undefined → true'],
    why: 'a key that is remembered is the one that would be parsed again',
  },
  {
    file: 'apps/tracker/src/replica/record-signature.ts',
    line: 'if (this.#keys.size >= KEYS_REMEMBERED_MAX) this.#keys.clear();',
    mutants: [
      'this.#keys.size >= KEYS_REMEMBERED_MAX → true',
      'this.#keys.size >= KEYS_REMEMBERED_MAX → false',
      'this.#keys.size >= KEYS_REMEMBERED_MAX → this.#keys.size > KEYS_REMEMBERED_MAX',
      'this.#keys.size >= KEYS_REMEMBERED_MAX → this.#keys.size < KEYS_REMEMBERED_MAX',
      'this.#keys.clear(); → ;',
    ],
    why: 'how many keys are remembered changes what it costs to parse them, and nothing else',
  },
  {
    file: 'apps/tracker/src/replica/record-signature.ts',
    line: 'this.#keys.set(memoKey, key);',
    mutants: ['this.#keys.set(memoKey, key); → ;'],
    why: 'a key that is not remembered is parsed again',
  },
  {
    file: 'apps/tracker/src/replica/record-signature.ts',
    line: "return typeof note === 'string' && logId !== null ? checkpointSignedBy(key, { note, logId }) : null;",
    mutants: ['logId !== null → true'],
    why: 'no note is about a log without an id; the type does not know that',
  },
  {
    file: 'libs/domain/src/decide.ts',
    line: "if (actor.kind !== 'tracker' || actor.trackerId !== signer) return 'not_a_tracker';",
    mutants: ["actor.kind !== 'tracker' → false"],
    why: 'no peer has a tracker id, so none equals a signer; the type does not know that',
  },
  {
    file: 'libs/domain/src/endgame.ts',
    line: '.filter((connection) => connection.pieces.length > 0)',
    mutants: ['connection.pieces.length > 0 → true', 'connection.pieces.length > 0 → connection.pieces.length >= 0'],
    why: 'of a connection without pieces there is nothing to take',
  },
  {
    file: 'libs/domain/src/equal-parts.ts',
    line: '#isGivenUp = false;',
    mutants: ['false → true'],
    why: 'the first look at the sources sets it',
  },
  {
    file: 'libs/domain/src/piece-ledger.ts',
    line: 'if (pieces.size === 0) this.#held.delete(holder);',
    mutants: ['pieces.size === 0 → false', 'this.#held.delete(holder); → ;'],
    why: 'who holds nothing is not remembered, which only saves memory',
  },
  {
    file: 'libs/domain/src/source-choice.ts',
    line: 'if (open.length === 0) return assignments;',
    mutants: ['open.length === 0 → false'],
    why: 'nobody takes a piece then either; this saves drawing them',
  },
  {
    file: 'libs/domain/src/source-choice.ts',
    line: 'if (open.length === 0) break;',
    mutants: ['open.length === 0 → false'],
    why: 'nobody takes a piece from then on either; this saves drawing them',
  },
  {
    file: 'libs/domain/src/source-choice.ts',
    line: 'if (equals === 1 || random() * equals < 1) best = load;',
    mutants: ['equals === 1 → false'],
    why: 'a random number is below 1; this saves drawing it',
  },
  {
    file: 'libs/domain/src/source-choice.ts',
    line: 'if (count > 0) yield* drawAtRandom(Uint32Array.from(level), random);',
    mutants: ['count > 0 → true', 'count > 0 → count >= 0'],
    why: 'what nobody has is asked of nobody; this saves looking for who has it',
  },
  {
    file: 'libs/domain/src/command.ts',
    line: 'stamps: readonly string[] = [],',
    mutants: ['[] → ["Stryker was here"]'],
    why: 'no command has a field of that name',
  },
  {
    file: 'libs/domain/src/manifest.ts',
    line: "return components.slice(1).map((_, depth) => components.slice(0, depth + 1).join('/'));",
    mutants: ['components.slice(1) → components'],
    why: 'the path itself is looked for as well, which is not among those before it: they ascend',
  },
  {
    file: 'apps/tracker/src/replica/clock-watch.ts',
    line: 'if (this.#skewedAt === null) return false;',
    mutants: ['this.#skewedAt === null → false'],
    why: 'what is null stays null; the type does not know that',
  },
  {
    file: 'apps/tracker/src/replica/clock-watch.ts',
    line: 'const isAhead = ownTimeMs !== null && ownTimeMs - appendTimeMs > CLOCK_SKEW_MAX_MS;',
    mutants: ['ownTimeMs !== null → true'],
    why: 'null counts as 0, and no record was appended before 1970; the type does not know that',
  },
  {
    file: 'apps/tracker/src/replica/effect-digest.ts',
    line: 'for (; place > 0 && keys[place - 1]! > key; place--) keys[place] = keys[place - 1]!;',
    mutants: ['place > 0 → true', 'place > 0 → place >= 0', 'keys[place - 1]! > key → keys[place - 1]! >= key'],
    why: 'before the first key there is undefined, which is not greater; an object has no key twice',
  },
  {
    file: 'apps/tracker/src/replica/sha256.ts',
    line: 'const JOINED_BYTES_MAX = 64 * 1024;',
    mutants: ['64 * 1024 → 64 / 1024'],
    why: 'input that does not fit gets a buffer of its own',
  },
  {
    file: 'apps/tracker/src/replica/sha256.ts',
    line: "for (const part of parts) byteCountMax += typeof part === 'string' ? 3 * part.length : part.length;",
    mutants: ["typeof part === 'string' → true"],
    why: 'three times as much room as bytes need is enough',
  },
  {
    file: 'apps/tracker/src/replica/sha256.ts',
    line: 'const target = byteCountMax <= JOINED_BYTES_MAX ? joined : Buffer.allocUnsafeSlow(byteCountMax);',
    mutants: [
      'byteCountMax <= JOINED_BYTES_MAX → false',
      'byteCountMax <= JOINED_BYTES_MAX → byteCountMax < JOINED_BYTES_MAX',
    ],
    why: 'a buffer of its own does the same',
  },
  {
    file: 'apps/tracker/src/replica/sha256.ts',
    line: 'if (usedBytes === slab.length) {',
    mutants: ['usedBytes === slab.length → true'],
    why: 'a slab for each digest costs memory and changes none',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: '#judgedOffset = -1;',
    mutants: ['-1 → +1'],
    why: 'before the third record there is no checkpoint: the first two begin the log and make its first tracker known',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: 'const isApplied = end !== null && (await this.waitUntilApplied(end - 1));',
    mutants: ['end !== null → true'],
    why: 'without an end reading has stopped, which the next line asks; the type does not know that',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: 'if (!isApplied || !this.isReading) return false;',
    mutants: ['!isApplied → false'],
    why: 'what is not applied without a limit of time will not be: reading has stopped',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: 'if (fresh.root === this.#derived.root || this.#restoredOffset >= 0) {',
    mutants: ['this.#restoredOffset >= 0 → this.#restoredOffset > 0'],
    why: 'no snapshot is of offset 0: the first is of the offset at which the next ones follow each other',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: 'this.#judgeCheckpoints();',
    mutants: ['this.#judgeCheckpoints(); → ;'],
    why: 'of the two such lines the one after everything was computed anew: the next record that is applied judges as well',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: 'waiter.forget();',
    mutants: ['waiter.forget(); → ;'],
    why: 'who has been answered and is not forgotten costs memory alone',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: 'return applied.then((isApplied) => isApplied ?? false).finally(() => waiter.forget());',
    mutants: ['() => waiter.forget() → () => undefined'],
    why: 'who has been answered and is not forgotten costs memory alone',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: 'if (performance.now() >= this.#sliceEndsAt) await this.#giveTurn();',
    mutants: [
      'performance.now() >= this.#sliceEndsAt → true',
      'performance.now() >= this.#sliceEndsAt → false',
      'performance.now() >= this.#sliceEndsAt → performance.now() > this.#sliceEndsAt',
      'performance.now() >= this.#sliceEndsAt → performance.now() < this.#sliceEndsAt',
    ],
    why: 'when others have their turn changes how long they wait, not what comes of it; of following the log, a test sees that they have it',
  },
  {
    file: 'apps/tracker/src/replica/replica.ts',
    line: 'await sleep(milliseconds, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined);',
    mutants: ['false → true'],
    why: 'a process that has nothing else to do ends sooner',
  },
];
