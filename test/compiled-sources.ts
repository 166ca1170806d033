// Owns that the compiled code of sources is kept from thread to thread: a test of a peer starts some for each engine, which load the same
// sources from TypeScript, and that was more than half of what such a test cost. Not where programs are started: what they compile is
// of other flags, and they keep it themselves.
import { join, sep } from 'node:path';
import { expect } from 'vitest';

const UNIT_TESTS = join(import.meta.dirname, 'unit');
const ROLES = ['peer', 'tracker'].map((role) => join(UNIT_TESTS, role) + sep);
const { testPath = '' } = expect.getState();

if (ROLES.some((folder) => testPath.startsWith(folder))) {
  process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../node_modules/.cache/cohort-tests');
}
