// Owns how long soaks take: as long as what they prove needs, or with COHORT_SOAK=short only as long as it takes to see that they
// work; and where their chance begins. Flags win over both. What hangs ends too, and is a failure.

const isShort = process.env['COHORT_SOAK'] === 'short';

/** The default of a flag. */
export function byLength(values: { readonly full: string; readonly short: string }): string {
  return isShort ? values.short : values.full;
}

/**
 * The default of a flag that says where chance begins: COHORT_SEED, or another one each time. What answers for one commit
 * gives one answer with it.
 */
export function soakSeed(): string {
  return process.env['COHORT_SEED'] || String(Date.now() % 1_000_000);
}

/** Ends the process with exit code 1 after so many minutes, unless it has ended before. */
export function endAfter(minutes: number): void {
  const timer = setTimeout(() => {
    process.stderr.write(`not done after ${minutes} minutes\n`);
    process.exit(1);
  }, minutes * 60_000);
  timer.unref();
}
