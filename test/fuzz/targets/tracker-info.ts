// Owns fuzzing tracker_info.txt: every line that is wrong is told with its number and a sentence, and what was read, written
// again, reads as the same.
import assert from 'node:assert/strict';
import { formatTrackerInfo, parseTrackerInfo } from '#wire/tracker-info';
import type { FuzzTarget } from '../fuzz-target.ts';

const PIN = `sha256:${'0f'.repeat(32)}`;

export const trackerInfo: FuzzTarget = {
  name: 'tracker-info',
  sources: ['libs/wire/src/tracker-info.ts', 'libs/wire/src/host-port.ts'],
  shape: 'text',
  seeds: () => [
    Buffer.from(`127.0.0.1:9001 ${PIN}\n127.0.0.1:9002\n`),
    Buffer.from(`# trackers\r\n[2001:db8::1]:9001\r\ntracker.example 9002 ${PIN} # second\r\n`),
    Buffer.from('::1 9001\n\n127.0.0.1 9002\n'),
  ],
  run: (input) => {
    const text = Buffer.from(input).toString();
    const parsed = parseTrackerInfo(text);
    if (parsed.ok) {
      assert.deepEqual(
        parseTrackerInfo(formatTrackerInfo(parsed.trackers)),
        parsed,
        'a list that is written reads alike',
      );
      return;
    }
    const lineCount = text.split('\n').length;
    for (const { line, message } of parsed.errors) {
      assert.ok(line >= 0 && line <= lineCount, `line ${line} of ${lineCount}`);
      assert.match(message, /\.$/s, 'what is wrong is a sentence');
    }
  },
};
