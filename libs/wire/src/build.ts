// Owns the name of this build of the programs, which trackers sign their checkpoints with and both programs tell among their
// figures: package.json's version, by test.

/** Name and version. */
export const BUILD = 'cohort 0.1.0';
