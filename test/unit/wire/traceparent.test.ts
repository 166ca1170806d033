import { expect, test } from 'vitest';
import { parseTraceparent } from '#wire/traceparent';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test.each([
  [`00-${TRACE}-${SPAN}-01`, 1],
  [`00-${TRACE}-${SPAN}-00`, 0],
  [`cc-${TRACE}-${SPAN}-01-what-a-later-version-says`, 1],
])('%s is a trace and a span', (text, traceFlags) => {
  expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags });
});

test.each(
  [
    [
      '',
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE}-${SPAN}-011`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    ],
    [`ff-${TRACE}-${SPAN}-01`, `00-${'0'.repeat(32)}-${SPAN}-01`, `00-${TRACE}-${'0'.repeat(16)}-01`],
    [undefined, 7, ['a']],
  ].flat(),
)('%j is none', (text) => {
  expect(parseTraceparent(text)).toBeNull();
});
