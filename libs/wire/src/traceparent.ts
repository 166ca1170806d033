// Owns the header that says which trace a request is part of: https://www.w3.org/TR/trace-context/
//   traceparent  version "-" trace (32 hex) "-" span (16 hex) "-" flags (2 hex, 1 is sampled)
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

/** What a traceparent names; null for what is none. */
export function parseTraceparent(
  text: unknown,
): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number } | null {
  const [, traceId, spanId, flags] = (typeof text === 'string' && TRACEPARENT.exec(text)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}
