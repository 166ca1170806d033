// Types of flags.mjs, which stays JavaScript so that an old Node can read it.
import type { parseArgs, ParseArgsOptionsConfig } from 'node:util';

export function readFlags<const Options extends ParseArgsOptionsConfig>(
  words: readonly string[],
  about: { readonly options: Options; readonly usage: string },
): ReturnType<typeof parseArgs<{ options: Options }>>['values'] | null;
