// Owns fuzzing exported logs, which an auditor is handed by somebody: whatever is in one, there is a verdict, and one that is
// called sound is exactly what an export of its records would be.
import { generateKeyPairSync, hash } from 'node:crypto';
import { BadInput } from '#identity/start-input';
import {
  exportLine,
  isSealedLine,
  sealedLine,
  signedTrailer,
  type Trailer,
  trailerLine,
} from '../../../apps/tracker/src/audit/export-format.ts';
import { type ExportSource, exportSourceOf } from '../../../apps/tracker/src/audit/export-source.ts';
import { verify } from '../../../apps/tracker/src/audit/verification.ts';
import { readGoldenLog } from '../../golden/golden-log.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';

const auditor = generateKeyPairSync('ed25519').privateKey;

export const auditExport: FuzzTarget = {
  name: 'audit-export',
  sources: [
    'apps/tracker/src/audit/export-format.ts',
    'apps/tracker/src/audit/export-source.ts',
    'apps/tracker/src/audit/verification.ts',
    'apps/tracker/src/audit/replay.ts',
  ],
  shape: 'json',
  seeds: () => {
    const records = readGoldenLog(1).records.slice(0, 14);
    const odd = [Buffer.from('no record'), Buffer.from('{"specversion":"1.0","type":"cohort.export_trailer.v1"}')];
    return [
      exported(records.slice(0, 4).map(bytesOf)),
      exported([...records.map(bytesOf), ...odd]),
      exported(records.slice(0, 4).map(bytesOf), { hasSecrets: true }),
      exported([]),
    ];
  },
  repair: withTrueTrailer,
  run: async (input) => {
    const source = exportSourceOf(input);
    const verdict = await verdictOn(source);
    if (verdict === 'sound') assertSameBytes(await exportedAgain(source), input, 'a sound export is written so');
  },
};

async function verdictOn(source: ExportSource): Promise<string> {
  try {
    return (await verify(source)).verdict;
  } catch (error) {
    if (error instanceof BadInput) return 'unreadable';
    throw error;
  }
}

async function exportedAgain(source: ExportSource): Promise<Uint8Array> {
  const lines: Buffer[] = [];
  for await (const batch of source.records()) {
    for (const { value, sealed, offset } of batch) {
      if (sealed !== null) lines.push(sealedLine(sealed, offset));
      lines.push(exportLine(value, offset));
    }
  }
  return Buffer.concat([...lines, trailerLine(source.trailer!)]);
}

function exported(records: readonly Uint8Array[], { hasSecrets = false } = {}): Uint8Array {
  const beside = (offset: number): Uint8Array => (hasSecrets ? sealedLine('a secret', offset) : Buffer.of());
  const lines = Buffer.concat(records.flatMap((record, offset) => [beside(offset), exportLine(record, offset)]));
  return Buffer.concat([lines, trailerLine(signedTrailer(trailerOf(lines, records.length), auditor))]);
}

function trailerOf(lines: Uint8Array, records: number): Omit<Trailer, 'auditor'> {
  return { records, signedRecords: 0, sha256: hash('sha256', lines), checkpoint: null };
}

/** A trailer that is right about the lines before it; what else it says stays as it is. */
function withTrueTrailer(input: Uint8Array): Uint8Array {
  const text = Buffer.from(input).toString('latin1').trimEnd();
  const end = text.lastIndexOf('\n') + 1;
  const lines = Buffer.from(text.slice(0, end), 'latin1');
  try {
    const said = (JSON.parse(Buffer.from(text.slice(end), 'latin1').toString()) as { data: object }).data;
    const isRecord = (line: string): boolean => line !== '' && !isSealedLine(Buffer.from(line, 'latin1'));
    const right = trailerOf(lines, text.slice(0, end).split('\n').filter(isRecord).length);
    return Buffer.concat([lines, trailerLine({ ...said, ...right } as Trailer)]);
  } catch {
    return Buffer.concat([lines, trailerLine({ ...trailerOf(lines, 0), auditor: null })]);
  }
}

function bytesOf(record: string): Uint8Array {
  return Buffer.from(record);
}
