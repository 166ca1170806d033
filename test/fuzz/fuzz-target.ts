// Owns what a target of fuzzing is: one decoder, or a few that belong together, with inputs to begin from and what has to hold
// of every other one.
import { casesOf } from './cases.ts';
import type { InputShape } from './mutations.ts';

export interface FuzzTarget {
  /** How its files are called in test/fuzz/cases. */
  readonly name: string;
  /** What is fuzzed: paths of sources, or how they begin. */
  readonly sources: readonly string[];
  readonly shape: InputShape;
  /** Inputs that are right, and some that nearly are. */
  readonly seeds: () => readonly Uint8Array[];
  /** Puts lengths and checksums right, so that what lies behind their checks is reached as well. */
  readonly repair?: (input: Uint8Array) => Uint8Array;
  /** What each byte of an input may account for in memory; 64 unless the format says more with less. */
  readonly bytesPerByte?: number;
  /** Throws for a bug, and only for one. */
  readonly run: (input: Uint8Array) => void | Promise<void>;
}

/** Every target by its name, loaded when it is asked for: each loads its own part of the product. */
export const FUZZ_TARGETS: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  frames: async () => (await import('./targets/frames.ts')).frames,
  serving: async () => (await import('./targets/serving.ts')).serving,
  manifest: async () => (await import('./targets/manifest.ts')).manifest,
  grant: async () => (await import('./targets/grant.ts')).grant,
  'log-records': async () => (await import('./targets/log-records.ts')).logRecords,
  'checkpoint-note': async () => (await import('./targets/checkpoint-note.ts')).checkpointNote,
  'audit-export': async () => (await import('./targets/audit-export.ts')).auditExport,
  'audit-proof': async () => (await import('./targets/audit-proof.ts')).auditProof,
  'audit-questions': async () => (await import('./targets/audit-questions.ts')).auditQuestions,
  state: async () => (await import('./targets/state.ts')).state,
  snapshot: async () => (await import('./targets/snapshot.ts')).snapshot,
  'tracker-info': async () => (await import('./targets/tracker-info.ts')).trackerInfo,
  texts: async () => (await import('./targets/texts.ts')).texts,
  'rpc-framing': async () => (await import('./targets/rpc-framing.ts')).rpcFraming,
  'rpc-payloads': async () => (await import('./targets/rpc-payloads.ts')).rpcPayloads,
  'control-requests': async () => (await import('./targets/control-requests.ts')).controlRequests,
  journal: async () => (await import('./targets/journal.ts')).journal,
  'peer-files': async () => (await import('./targets/peer-files.ts')).peerFiles,
};

/** What fuzzing a target begins from: its own inputs, and those that were wrong once. */
export function beginningsOf({ name, seeds }: FuzzTarget): Uint8Array[] {
  return [...seeds(), ...casesOf(name).map(({ input }) => input)];
}
