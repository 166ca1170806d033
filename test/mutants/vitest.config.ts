// Owns which tests have to find mutants: those of the pure domain and of the replica, which need no process, no port and no
// real log, so that thousands of mutants can be tried.
import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

export default defineConfig({
  ...everything,
  test: {
    ...everything.test,
    include: [
      'test/unit/domain/**/*.test.ts',
      'test/unit/tracker/replica/**/*.test.ts',
      'test/unit/tracker/snapshots/snapshots.test.ts',
      'test/golden/*.test.ts',
    ],
    setupFiles: ['test/mutants/same-properties.ts'],
  },
});
