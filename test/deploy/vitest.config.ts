// Owns how the deployment is proved: by tests of their own, one after the other, because each begins where the one before it ended.
import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

export default defineConfig({
  ...everything,
  test: {
    ...everything.test,
    include: ['test/deploy/deploy.test.ts'],
    exclude: [],
    bail: 1,
    testTimeout: 300_000,
    hookTimeout: 1_200_000,
  },
});
