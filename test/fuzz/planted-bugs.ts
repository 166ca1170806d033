// Owns bugs of the kinds that decoders have, each a change of one file that fuzzing has to find: they show that it would find
// the next one. The file on disk stays as it is.

export interface PlantedBug {
  /** The target that meets it. */
  readonly target: string;
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
  /** What the finding says. */
  readonly finding: RegExp;
}

/** By what is wrong. */
export const PLANTED_BUGS: Readonly<Record<string, PlantedBug>> = {
  'a length is not checked before memory is set aside': {
    target: 'frames',
    file: 'libs/wire/src/transfer-frame.ts',
    text: 'bodyBytes < shortest || bodyBytes > longest',
    replacement: "bodyBytes < shortest || (kind !== 'grant' && bodyBytes > longest)",
    finding: /set aside/,
  },
  'a frame may be shorter than what is read of it': {
    target: 'frames',
    file: 'libs/wire/src/transfer-frame.ts',
    text: 'bodyBytes < shortest || bodyBytes > longest',
    replacement: 'bodyBytes > longest',
    finding: /outside the bounds|Offset is outside/,
  },
  'a frame depends on how its bytes are cut': {
    target: 'frames',
    file: 'libs/wire/src/transfer-frame.ts',
    text: 'this.#bodyLength += end - at;',
    replacement: 'this.#bodyLength = end - at;',
    finding: /however they are cut/,
  },
  'reading goes one byte too far': {
    target: 'grant',
    file: 'libs/wire/src/byte-reader.ts',
    text: 'if (length > this.remainingBytes) {',
    replacement: 'if (length > this.remainingBytes + 1) {',
    finding: /outside the bounds|one encoding/,
  },
  'a path may climb out of its folder': {
    target: 'manifest',
    file: 'libs/domain/src/manifest.ts',
    text: '    if (message !== null) return `has a component that ${message}`;',
    replacement: '',
    finding: /lies outside/,
  },
  'unknown fields slip through the quick check': {
    target: 'rpc-payloads',
    file: 'apps/tracker/src/control/payload-plan.ts',
    text: 'if (field === undefined) return null;',
    replacement: 'if (field === undefined) continue;',
    finding: /alike/,
  },
  'a line that never ends is looked at again and again': {
    target: 'tracker-info',
    file: 'libs/wire/src/host-port.ts',
    text: "const labels = host.split('.');",
    replacement: "if (host.startsWith('xn--')) for (;;);\n  const labels = host.split('.');",
    finding: /hangs/,
  },
};

/** The text of a file of the product, with the bug that COHORT_FUZZ_PLANT names if it is one of this file. */
export function withPlantedBug(file: string, text: string): string {
  const bug = PLANTED_BUGS[process.env['COHORT_FUZZ_PLANT'] ?? ''];
  if (bug?.file !== file) return text;
  if (text.split(bug.text).length !== 2) throw new Error(`${file} has no such place, or several: ${bug.text}`);
  return text.replace(bug.text, () => bug.replacement);
}
