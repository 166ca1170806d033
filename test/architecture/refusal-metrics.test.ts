// Facts about refusals: each door has a closed set of codes, each code of it is really given somewhere, and a refusal that is
// counted under it stands in what /metrics says.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import 'reflect-metadata';
import { describe, expect, it } from 'vitest';
import { NO_LIMITS } from '#wire/control-limits';
import { CLOSE_CODES } from '#wire/transfer-frame';
import { ERRORS, type ErrorCode } from '#wire/wire-error';
import { ControlDoor, type ControlRefusal } from '../../apps/peer/src/control/control-door.ts';
import { peerFigures } from '../../apps/peer/src/control/peer-figures.ts';
import {
  LaneCounters,
  newCounters,
  PEER_REFUSALS,
  type PeerRefusal,
} from '../../apps/peer/src/data-plane/lane-counters.ts';
import { IDLE_ENGINE, NO_SCRUB } from '../unit/peer/control/recorded-ports.ts';
import { TrackerMetrics } from '../../apps/tracker/src/control/metrics.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The members of a union of texts, as its file has them. */
function unionIn(file: string, type: string): string[] {
  const [, members = ''] = new RegExp(`^export type ${type} =([^;]+);`, 'm').exec(read(file)) ?? [];
  return [...members.matchAll(/'(\w+)'/g)].map(([, code]) => code!);
}

/** What a peer's /metrics says after one refusal at one of its doors. */
function peerText(refusals: { peers?: PeerRefusal; control?: ControlRefusal }): Promise<string> {
  const [counters, door] = [new LaneCounters(newCounters(1), 0), new ControlDoor()];
  if (refusals.peers !== undefined) counters.refuse(refusals.peers);
  if (refusals.control !== undefined) door.refuse(refusals.control);
  const figures = peerFigures({
    engine: () => ({ ...IDLE_ENGINE, refusals: counters.refusals() }),
    ...{ trackers: () => [], transferStates: () => [], limits: () => NO_LIMITS, scrub: () => NO_SCRUB },
    ...{ keeping: () => null, dataDirectory: root, eventStreamCount: () => 0, controlRefusals: () => door.refusals() },
  });
  return figures.text();
}

function trackerText(count: (metrics: TrackerMetrics) => void): Promise<string> {
  const metrics = new TrackerMetrics();
  count(metrics);
  return metrics.figures.text();
}

const RPC = 'apps/tracker/src/control/rpc-server.ts';
const OPERATORS = 'apps/tracker/src/control/operator-door.ts';
const CONTROL = 'apps/peer/src/control/control-door.ts';
const connectionText = (code: string): Promise<string> => trackerText((metrics) => metrics.countConnection(code));

/** Each door with the file of its codes, all of them, and what is told of one that was counted. */
const DOORS = [
  { door: "a tracker's port", file: RPC, codes: unionIn(RPC, 'ConnectionRefusal'), text: connectionText },
  {
    door: "a tracker's port for operators",
    file: OPERATORS,
    codes: unionIn(OPERATORS, 'OperatorRefusal'),
    text: connectionText,
  },
  {
    door: 'a control endpoint',
    file: CONTROL,
    codes: unionIn(CONTROL, 'ControlRefusal'),
    text: (code: string) => peerText({ control: code as ControlRefusal }),
  },
  {
    door: "a peer's port",
    file: 'apps/peer/src/data-plane/lane-counters.ts',
    codes: [...PEER_REFUSALS],
    text: (code: string) => peerText({ peers: code as PeerRefusal }),
  },
] as const;

describe.each(DOORS)('$door', ({ file, codes, text }) => {
  const [app] = /^apps\/\w+/.exec(file)!;
  const sources = globSync(`${app}/src/**/*.ts`, { cwd: root }).filter((each) => each !== file);
  const elsewhere = sources.map(read).join('\n');

  it('has codes', () => expect(codes.length).toBeGreaterThan(1));

  it.each(codes.map((code) => [code]))('counts %s, which is given somewhere', async (code) => {
    const own = read(file)
      .replace(/^export type \w+ =[^;]+;/gm, '')
      .replace(/PEER_REFUSALS = \[[^\]]+\]/, '');
    expect(`${own}\n${elsewhere}`).toContain(`'${code}'`);
    expect(await text(code)).toMatch(new RegExp(`code="${code}"\\} 1$`, 'm'));
  });
});

describe('what is refused in words', () => {
  it.each(Object.keys(ERRORS).map((code) => [code as ErrorCode]))(
    '%s is counted by a peer and by a tracker',
    async (code) => {
      expect(await peerText({ control: code })).toContain(`cohort_refusals_total{door="control",code="${code}"} 1\n`);
      const text = await trackerText((metrics) => metrics.countRefusal(code));
      expect(text).toContain(`cohort_refused_without_record_total{code="${code}"} 1\n`);
    },
  );

  it('every reason that a peer closes for is a refusal that is counted, or the end of something that was served', () => {
    const counted: readonly string[] = PEER_REFUSALS;
    expect(CLOSE_CODES.filter((code) => !counted.includes(code))).toEqual([
      ...['withdrawn', 'source_changed', 'source_missing', 'corrupt_piece', 'closing'],
    ]);
  });
});
