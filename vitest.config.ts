import { defineConfig } from 'vitest/config';
import { SystemsFirst } from './test/systems-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'libs/**/*.test.ts', 'apps/**/*.test.ts'],
    // What needs a daemon has a command of its own: npm run test:deploy.
    exclude: ['test/deploy/deploy.test.ts', '**/node_modules/**'],
    pool: 'forks',
    // Whole systems wait for one another: a third one finds both processors of a small machine idle for a fifth of the time.
    maxWorkers: 3,
    sequence: { sequencer: SystemsFirst },
    // What hangs ends; how long something takes on a machine that is busy decides nothing.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // On a machine that is busy with other things, too, what is waited for comes.
    expect: { poll: { timeout: 10_000 } },
    setupFiles: ['test/waiting-longer.ts', 'test/compiled-sources.ts'],
  },
});
