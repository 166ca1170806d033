// Owns what keeps a run of the mutants repeatable: generated input is the same each time, and is not made smaller when it has
// found a mutant.
import fc from 'fast-check';

fc.configureGlobal({ seed: 1, endOnFailure: true });
