// The files of transfers, in a folder of their own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TransferStore } from '../../../../apps/peer/src/transfers/transfer-store.ts';

const REPORTS = { writeFailed: () => undefined, damaged: () => undefined };
let dataDirectory: string;

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'cohort-store-'));
});
afterEach(() => rmSync(dataDirectory, { recursive: true }));

test('a transfer whose file is damaged is known to be missing, also after the next start', async () => {
  const store = await TransferStore.open(dataDirectory, REPORTS);
  expect(await store.hasDamaged()).toBe(false);
  writeFileSync(join(dataDirectory, 'transfers', 'a.json'), '{"half');
  for (const started of [store, await TransferStore.open(dataDirectory, REPORTS)]) {
    expect(await started.loadAll()).toEqual([]);
    expect(await started.hasDamaged()).toBe(true);
  }
});
