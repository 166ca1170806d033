// Sources of records in memory, and exports of them, for tests of the audit.
import type { KeyObject } from 'node:crypto';
import type { StoredRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { writeExport } from '../../../../apps/tracker/src/audit/export-writing.ts';
import type { AuditSource } from '../../../../apps/tracker/src/audit/replay.ts';

export function sourceOf(records: readonly StoredRecord[]): AuditSource {
  return {
    name: 'the log',
    async *records() {
      for (let at = 0; at < records.length; at += 100) yield records.slice(at, at + 100);
    },
    close: () => Promise.resolve(),
  };
}

/** The bytes of an export of these records. */
export async function exported(
  records: readonly StoredRecord[],
  about: { readonly tail?: boolean; readonly key?: KeyObject } = {},
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const write = (bytes: Uint8Array): Promise<void> => Promise.resolve(void parts.push(bytes));
  await writeExport(sourceOf(records), { write, tail: about.tail === true, key: about.key ?? null });
  return Buffer.concat(parts);
}
