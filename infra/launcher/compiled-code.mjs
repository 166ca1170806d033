// Owns that V8's compiled code of the programs is kept from one start to the next, for which a start would spend a sixth of its
// processor time. It stands in the user's own cache folder: what others may write to would run as this user.
import module from 'node:module';
import { join } from 'node:path';

/**
 * Keeps compiled code, here and in the threads that this process starts. Nothing is kept by a Node that cannot, nor where no folder
 * is to be had. A process that is killed keeps nothing of what it has compiled.
 */
export function keepCompiledCode() {
  const { XDG_CACHE_HOME, LOCALAPPDATA, HOME } = process.env;
  const caches = XDG_CACHE_HOME || LOCALAPPDATA || (HOME && join(HOME, '.cache'));
  if (!caches) return;
  const folder = join(caches, 'cohort', 'compiled');
  module.enableCompileCache?.(folder);
  // Threads do not have it from their process.
  process.env.NODE_COMPILE_CACHE ??= folder;
}
