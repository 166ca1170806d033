// Owns which Chromium is driven, for tests, measurements and pictures: the one that COHORT_CHROMIUM names, else one of the system's.
// playwright-core brings none and fetches none.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Where a Chromium is, or null when there is none. */
export function chromiumPath(environment: Readonly<Record<string, string | undefined>> = process.env): string | null {
  const named = environment['COHORT_CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  const folders = (environment['PATH'] ?? '').split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find(isProgram) ?? null;
}

/** Why nothing can be done in a browser here, or null. Where Chromium is demanded its absence is no reason to leave anything out. */
export function chromiumSkipReason(): string | null {
  if (process.env['COHORT_REQUIRE_CHROMIUM'] === '1' || chromiumPath() !== null) return null;
  return 'there is no chromium on PATH (Debian: apt install chromium), and COHORT_CHROMIUM names none';
}

/** Starts it without a window. Throws with what to do where there is none. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error('No chromium was found: install one, or name it with COHORT_CHROMIUM.');
  return await chromium.launch({
    executablePath,
    headless: true,
    // What root may not do, and containers have no room for.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
