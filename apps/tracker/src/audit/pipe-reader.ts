// Owns noticing that nobody reads standard output any more while there is nothing to write to it, as behind `| head`. Node tells of
// that only when something is written; Linux shows which process has the other end of a pipe open, so that one is found and
// looked at. Where nobody is found, in another container or of another user, the next line that is written tells.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LOOK_MS = 250;

/** Aborts `stop` once the reader of standard output, if that is a pipe with one that can be seen, has closed it. */
export function stopWithoutReader(stop: AbortController): void {
  const pipe = targetOf('/proc/self/fd/1');
  let reader = pipe?.startsWith('pipe:') === true ? readerOf(pipe) : null;
  if (reader === null) return;
  const timer = setInterval(() => {
    if (targetOf(reader!) === pipe) return;
    reader = readerOf(pipe!);
    if (reader === null) stop.abort();
  }, LOOK_MS).unref();
  stop.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** The path of an open file through which a pipe is read; null when there is none that can be seen. */
function readerOf(pipe: string): string | null {
  for (const process of namesIn('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    for (const file of namesIn(`/proc/${process}/fd`)) {
      const path = `/proc/${process}/fd/${file}`;
      if (targetOf(path) === pipe && isToRead(`/proc/${process}/fdinfo/${file}`)) return path;
    }
  }
  return null;
}

/** By the lowest two bits of the flags that it was opened with, which are none for reading. */
function isToRead(path: string): boolean {
  try {
    return /^flags:\s*[0-7]*[04]$/m.test(readFileSync(path, 'utf8'));
  } catch {
    return false;
  }
}

/** Nothing where nothing may be seen, or where it is gone already. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
