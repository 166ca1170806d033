// Owns where downloads went last, which this browser keeps: whoever downloads the next one most likely wants it there too.
const KEY = 'cohort.destination';

/** The folder of the last download, or an empty text. */
export function keptDestination(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

/** Keeps it. */
export function keepDestination(destination: string): void {
  try {
    localStorage.setItem(KEY, destination);
  } catch {
    // A browser that keeps nothing asks without an answer of its own.
  }
}
