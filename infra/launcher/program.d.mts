// Types of program.mjs, which stays JavaScript so that an old Node can read it.
export function programOf(words: readonly string[]): string;
