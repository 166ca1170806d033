// Facts about tracker_info.txt, as people write it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatTrackerInfo, parseTrackerInfo, type TrackerEntry } from '#wire/tracker-info';

const ID = 'ab'.repeat(32);

it('reads addresses, fingerprints, comments, empty lines, and host and port with a space between', () => {
  const text = [
    '\ufeff# two trackers here, three there',
    `127.0.0.1:9001 sha256:${ID}   # the first`,
    '',
    '  tracker.example 9002\r',
    `\tTracker-3:9003\t`,
    '[::1]:9004',
    `::1 9005 sha256:${ID.toUpperCase().replaceAll('A', '0')}`,
    '[::1] 9006',
  ].join('\n');
  expect(parseTrackerInfo(text)).toEqual({
    ok: true,
    trackers: [
      { host: '127.0.0.1', port: 9001, trackerId: ID },
      { host: 'tracker.example', port: 9002, trackerId: null },
      { host: 'tracker-3', port: 9003, trackerId: null },
      { host: '::1', port: 9004, trackerId: null },
      { host: '::1', port: 9005, trackerId: ID.replaceAll('a', '0') },
      { host: '::1', port: 9006, trackerId: null },
    ],
  });
});

it.each<[string, string, number, RegExp]>([
  ['a file without a tracker', '# nothing\n\n', 0, /add a line like/],
  ['a file too long', '#'.repeat(65_537), 0, /longer than/],
  ['too many trackers', Array.from({ length: 65 }, (_, n) => `a:${n + 1}`).join('\n'), 0, /more than 64/],
  ['a host without a port', 'a:1\nlocalhost', 2, /write it like/],
  ['a port that is none', 'a:1\n\nlocalhost:x', 3, /0 to 65535/],
  ['port 0', 'localhost:0', 1, /1 to 65535/],
  ['an IPv6 address without brackets', '::1:9001', 1, /\[::1\]/],
  ['a fingerprint of another kind', 'a:1 md5:00', 1, /sha256:/],
  ['a short fingerprint', 'a:1 sha256:00', 1, /64 hex digits/],
  ['a host and a fingerprint without a port', `a sha256:${ID}`, 1, /write it like/],
  ['words too many', `a:1 sha256:${ID} b`, 1, /"b" is too much/],
  ['an address twice', 'a:1\nA:1', 2, /on line 1 already/],
  ['a fingerprint twice', `a:1 sha256:${ID}\nb:1 sha256:${ID}`, 2, /on line 1 already/],
])('%s is refused with the line and the fix', (_, text, line, message) => {
  expect(parseTrackerInfo(text)).toEqual({ ok: false, errors: [{ line, message: expect.stringMatching(message) }] });
});

it('every wrong line is reported', () => {
  const parsed = parseTrackerInfo('a\nb:1\nc:0\nb:1 x');
  expect(parsed.ok ? [] : parsed.errors.map((error) => error.line)).toEqual([1, 3, 4]);
});

it('what is formatted is read back', () => {
  const tracker: fc.Arbitrary<TrackerEntry> = fc.record({
    host: fc.constantFrom('127.0.0.1', '::1', 'tracker.example'),
    port: fc.integer({ min: 1, max: 65_535 }),
    trackerId: fc.oneof(
      fc.constant(null),
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes.toHex()),
    ),
  });
  const trackers = fc.uniqueArray(tracker, { minLength: 1, maxLength: 10, selector: ({ port }) => port });
  fc.assert(
    fc.property(trackers, (list) => {
      expect(parseTrackerInfo(formatTrackerInfo(list))).toEqual({ ok: true, trackers: list });
    }),
  );
});
