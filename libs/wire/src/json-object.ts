// Owns reading bytes that may hold an object of JSON.

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The object that UTF-8 bytes hold as JSON; null when they hold anything else. */
export function jsonObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
