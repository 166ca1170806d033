// Owns how the programs are bundled from their sources into `dist/programs`: each with its worker threads, and with the packages that it
// uses, because most of what a start takes is to find and to link a thousand small files. What is shared stands in files beside them.
import { defineConfig } from 'rolldown';

/** Programs and threads by the names of their files: threads are looked for beside the code that starts them. */
const input = {
  tracker: 'apps/tracker/src/main.ts',
  peer: 'apps/peer/src/main.ts',
  cli: 'apps/peer/src/cli/main.ts',
  worker: 'apps/peer/src/data-plane/worker.ts',
  'audit-worker': 'apps/tracker/src/audit/audit-worker.ts',
  'snapshot-worker': 'apps/tracker/src/snapshots/snapshot-worker.ts',
  'sqlite-log-worker': 'apps/tracker/src/command-log/sqlite-log-worker.ts',
  'kafka-certificates': 'infra/container/kafka-certificates.mjs',
};

/** They start threads from files of their own, or are mended from outside. */
const PACKAGES_APART = ['kafkajs', 'piscina'];

export default defineConfig({
  input,
  platform: 'node',
  external: PACKAGES_APART,
  // Nest asks for packages that are not here only when something needs them.
  checks: { unresolvedImport: false },
  logLevel: 'warn',
  output: {
    dir: 'dist/programs',
    cleanDir: true,
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    // Names of classes and functions are in messages and in stacks.
    keepNames: true,
    // What `reflect-metadata` adds to the world has to be there before anything is decorated.
    strictExecutionOrder: true,
    sourcemap: true,
  },
});
