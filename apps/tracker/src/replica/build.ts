// Owns the name that this build of the programs signs its checkpoints with: package.json's version, by test.

/** Name and version. */
export const BUILD = 'cohort 0.1.0';
