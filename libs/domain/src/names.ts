// Owns what a name may be: users, groups and files. Frozen code that `apply` runs, so it compares code units and knows no
// Unicode tables; NFC normalisation happens before the append, where a table may change with the runtime.

/** Longest user or group name in UTF-8 bytes. */
export const USER_NAME_BYTES_MAX = 64;
/** Longest file name in UTF-8 bytes: what common file systems take for one path component. */
export const FILE_NAME_BYTES_MAX = 255;
/** Most that one code unit takes in UTF-8. */
const UNIT_BYTES_MAX = 3;

const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?$/i;
// oxlint-disable-next-line no-control-regex -- control characters are exactly what this finds
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const BIDI_OVERRIDE = /[\u202a-\u202e\u2066-\u2069]/;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** What is wrong with a user or group name, as the end of a sentence about it, or null. */
export function userNameProblem(name: string): string | null {
  return nameProblem(name, USER_NAME_BYTES_MAX);
}

/** What is wrong with a file name (one path component, the same on every system), or null. */
export function fileNameProblem(name: string): string | null {
  return nameProblem(name, FILE_NAME_BYTES_MAX);
}

function nameProblem(name: string, bytesMax: number): string | null {
  if (name.length === 0) return 'must not be empty';
  if (isLongerThan(name, bytesMax)) return `must be at most ${bytesMax} bytes of UTF-8`;
  if (CONTROL.test(name)) return 'must not contain control characters';
  if (BIDI_OVERRIDE.test(name)) return 'must not contain characters that turn the direction of text';
  if (LONE_SURROGATE.test(name)) return 'must be well-formed Unicode';
  if (name.includes('/') || name.includes('\\')) return 'must not contain / or \\';
  if (name === '.' || name === '..') return 'must not be . or ..';
  if (name.startsWith(' ') || name.endsWith(' ')) return 'must not begin or end with a space';
  if (name.endsWith('.')) return 'must not end with a dot';
  if (WINDOWS_DEVICE.test(name)) return 'must not be a device name of Windows';
  return null;
}

/** Whether a string takes more than so many bytes of UTF-8: most are so short that none of their characters has to be looked at. */
export function isLongerThan(text: string, bytesMax: number): boolean {
  return text.length * UNIT_BYTES_MAX > bytesMax && utf8Bytes(text) > bytesMax;
}

/** Length of a well-formed string in UTF-8 bytes. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
    bytes += unit < 0x80 ? 1 : unit < 0x800 || isSurrogate ? 2 : 3;
  }
  return bytes;
}
