import { defineConfig } from 'vitest/config';

// Tests run from source: the `source` condition maps #domain, #identity and #wire to their TypeScript files, here and in
// every worker thread that a test starts.
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/**/*.test.ts', 'libs/**/*.test.ts', 'apps/**/*.test.ts'],
    pool: 'forks',
    execArgv: ['--conditions=source'],
    maxWorkers: 2,
    // On a shared machine a share of the load or a port may be taken by another process: the report names what was retried.
    retry: process.env['CI'] === undefined ? 0 : 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
