import 'reflect-metadata';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  CommandOutcomeRequest,
  CommandRequest,
  FileListRequest,
  FindSourcesRequest,
  GroupListRequest,
  PEER_COMMAND_BODIES,
  PresenceRequest,
  RenewGrantRequest,
} from '#wire/tracker-api';
import { InvalidPayload, thoroughPipe } from '../../../../apps/tracker/src/control/payload-check.ts';
import { PayloadPlan } from '../../../../apps/tracker/src/control/payload-plan.ts';

const CLASSES: readonly (new () => object)[] = [
  CommandRequest,
  GroupListRequest,
  FileListRequest,
  FindSourcesRequest,
  RenewGrantRequest,
  CommandOutcomeRequest,
  PresenceRequest,
  ...new Set<new () => object>(Object.values(PEER_COMMAND_BODIES)),
];

/** Values of which most fields have one that is right for them. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  commandId: ['0a000000-0000-4000-8000-00000000000a', '0A000000-0000-4000-8000-00000000000A', 'x'],
  correlationId: ['c', '', 'a b', 'c\n', 'x'.repeat(65)],
  seenOffset: [-1, 7, 0.5],
  user: ['alice', null, 'cafe\u0301', 'a/b', 'a\u0300'.repeat(40)],
  body: [{}, { group: 'g' }, [], null],
  after: ['a', null, ''],
  limit: [1, 1000, 1001],
  group: ['g', 'cafe\u0301', ' g', { group: 'g' }],
  file: ['f', 'e\u0301.txt', '..'],
  shareId: [0, 3, -1],
  peerId: ['a'.repeat(64), 'A'.repeat(64)],
  contentId: ['c'.repeat(64), 'c'],
  totalBytes: [0, 5, -1, 2 ** 53],
  pieceBytes: [512, 524_288, 3, '512'],
  pieceCount: [0, 1, 2, null],
  hash: ['sha1', 'md5'],
  version: [1, 2 ** 53 - 1, 0, '1', null],
  replaces: [1, 0.5],
  copies: [0, 100, 101],
  versions: ['all', 'newest', null],
  everywhere: [true, false, 'true'],
  password: ['correct horse', 'short', 7],
  newPassword: ['correct horse', 'short'],
  addresses: [['192.0.2.1:9101'], [], ['nowhere'], [['192.0.2.1:1']], '192.0.2.1:1', Array(9).fill('192.0.2.1:1')],
  downloading: [[], [{ shareId: 1, group: 'g', file: 'f' }], [{ shareId: 1 }], [null], {}],
  unserved: [[], [1, 2], undefined, [2, 1], ['1', 2], 7],
  transport: ['tls', 'plain', 'udp'],
  surplus: [1],
  constructor: [{}],
};

function payloads(metatype: new () => object): fc.Arbitrary<object> {
  const fieldsOfClass = Object.keys(new metatype()).concat('surplus', 'constructor');
  const model = Object.fromEntries(
    fieldsOfClass.map((field) => {
      const [right, ...others] = VALUES[field]!;
      const value = others.length === 0 ? fc.constant(right) : fc.constantFrom(right, right, right, right, ...others);
      return [field, value];
    }),
  );
  const expected = Object.fromEntries(fieldsOfClass.slice(0, -2).map((field) => [field, model[field]!]));
  return fc.oneof(
    { weight: 4, arbitrary: fc.record(expected, { noNullPrototype: true }) },
    { weight: 1, arbitrary: fc.record(model, { requiredKeys: [], noNullPrototype: true }) },
  );
}

async function thorough(metatype: new () => object, payload: object): Promise<object | null> {
  try {
    return (await thoroughPipe.transform(structuredClone(payload), { type: 'body', metatype })) as object;
  } catch (error) {
    if (error instanceof InvalidPayload) return null;
    throw error;
  }
}

describe.each(CLASSES.map((metatype) => [metatype.name, metatype] as const))('the plan of %s', (_, metatype) => {
  it('takes what the libraries take, as the same instance, and nothing else', async () => {
    const plan = PayloadPlan.of(metatype)!;
    await fc.assert(
      fc.asyncProperty(payloads(metatype), async (payload) => {
        const [quick, slow] = [plan.take(payload), await thorough(metatype, payload)];
        const isLeftToThem = 'downloading' in payload || Object.hasOwn(payload, 'constructor');
        if (quick !== null || !isLeftToThem) expect(quick).toStrictEqual(slow);
      }),
      { numRuns: 300 },
    );
  });
});

test('a presence that downloads nothing is taken quickly, one that does is left to the libraries', () => {
  const plan = PayloadPlan.of(PresenceRequest)!;
  const presence = { addresses: ['192.0.2.1:9101'], transport: 'tls' };
  expect(plan.take({ ...presence, downloading: [] })).toEqual({ ...presence, downloading: [] });
  expect(plan.take({ ...presence, downloading: [{ shareId: 1, group: 'g', file: 'f' }] })).toBeNull();
});

test.each([[null], [undefined], ['text'], [[]], [[{}]], [new Date(0)]])('%j is left to the libraries', (payload) => {
  expect(PayloadPlan.of(PEER_COMMAND_BODIES.logout)!.take(payload)).toBeNull();
});
