// Owns fuzzing what peers send to trackers, a line for each: `{"of": <class>, "payload": <what came>}`. The quick check takes
// nothing that the thorough one refuses, and makes the same of it; what is refused is refused by the names of its fields.
import assert from 'node:assert/strict';
import type { Type } from '@nestjs/common';
import * as trackerApi from '#wire/tracker-api';
import { InvalidPayload, thoroughPipe } from '../../../apps/tracker/src/control/payload-check.ts';
import { PayloadPlan } from '../../../apps/tracker/src/control/payload-plan.ts';
import type { FuzzTarget } from '../fuzz-target.ts';

const ID = '0f'.repeat(32);
const ENVELOPE = {
  seenOffset: 7,
  commandId: '00000000-0000-4000-8000-000000000000',
  correlationId: 'c',
  user: 'alice',
};
const SAMPLES: Readonly<Record<string, object>> = {
  CommandRequest: { ...ENVELOPE, body: { group: 'films' } },
  ViewRequest: { seenOffset: -1 },
  ListRequest: { seenOffset: -1, after: 'a', limit: 10 },
  GroupListRequest: { seenOffset: -1, limit: 10, group: 'films' },
  FileListRequest: { seenOffset: -1, limit: 10, group: 'films', versions: 'all' },
  FindSourcesRequest: { seenOffset: 1, group: 'films', file: 'a.bin', version: 2 },
  RenewGrantRequest: { seenOffset: 1, group: 'films', shareId: 4 },
  CommandOutcomeRequest: { seenOffset: 1, commandId: ENVELOPE.commandId, user: null },
  PresenceRequest: {
    addresses: ['127.0.0.1:9101', '[::1]:9101'],
    downloading: [{ group: 'films', file: 'a.bin', shareId: 4 }],
    unserved: [4, 4, 7, 9],
    transport: 'tls',
  },
  create_user: { user: 'alice', password: 'correct horse' },
  login: { user: 'alice', password: 'x' },
  change_password: { password: 'x', newPassword: 'correct horse' },
  accept_request: { group: 'films', user: 'bob' },
  end_session: { peerId: ID },
  upload_file: {
    ...{
      group: 'films',
      file: 'a.bin',
      contentId: ID,
      totalBytes: 3000,
      pieceBytes: 1024,
      pieceCount: 3,
      hash: 'sha1',
      replaces: 1,
    },
  },
  set_copies: { group: 'films', copies: 2 },
  download_file: { group: 'films', file: 'a.bin', version: 1 },
  seed_file: { group: 'films', file: 'a.bin', contentId: ID, version: 1 },
  stop_share: { group: 'films', file: 'a.bin', everywhere: false },
  logout: {},
};

const CLASSES = { ...trackerApi, ...trackerApi.PEER_COMMAND_BODIES } as unknown as Readonly<
  Record<string, Type<object>>
>;
const plans = new Map(Object.keys(SAMPLES).map((name) => [name, PayloadPlan.of(CLASSES[name]!)]));

export const rpcPayloads: FuzzTarget = {
  name: 'rpc-payloads',
  sources: [
    'apps/tracker/src/control/payload-check.ts',
    'apps/tracker/src/control/payload-plan.ts',
    'libs/wire/src/command-bodies.ts',
    'libs/wire/src/tracker-api.ts',
    'libs/wire/src/name-validation.ts',
    'libs/domain/src/names.ts',
  ],
  shape: 'json',
  seeds: () => [...Object.entries(SAMPLES).map(([of, payload]) => Buffer.from(JSON.stringify({ of, payload })))],
  run: async (input) => {
    for (const line of Buffer.from(input).toString().split('\n').slice(0, 4)) await checkLine(line);
  },
};

async function checkLine(line: string): Promise<void> {
  const { of, payload } = messageIn(line) ?? {};
  const plan = typeof of === 'string' ? plans.get(of) : undefined;
  if (plan === undefined || payload === undefined) return;
  const quick = plan?.take(structuredClone(payload)) ?? null;
  const thorough = await thoroughly(CLASSES[of as string]!, payload);
  if (quick !== null) assert.deepEqual(quick, thorough, 'the quick check and the thorough one take a payload alike');
}

function messageIn(line: string): { of?: unknown; payload?: unknown } | null {
  try {
    return JSON.parse(line) as { of?: unknown; payload?: unknown } | null;
  } catch {
    return null;
  }
}

/** What the libraries make of a payload, or null when they refuse it. */
async function thoroughly(metatype: Type<object>, payload: unknown): Promise<object | null> {
  try {
    return (await thoroughPipe.transform(payload, { type: 'body', metatype })) as object;
  } catch (error) {
    // What is nested too deeply overflows the stack, and is refused as well.
    if (error instanceof InvalidPayload || error instanceof RangeError) return null;
    throw error;
  }
}
