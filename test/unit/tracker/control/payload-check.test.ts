import 'reflect-metadata';
import { describe, expect, it } from 'vitest';
import { PRESENCE_DOWNLOADS_MAX, PRESENCE_UNSERVED_RUNS_MAX, RPC_MESSAGE_BYTES_MAX } from '#wire/limits';
import { CommandRequest, ListRequest, PresenceRequest } from '#wire/tracker-api';
import { checkedBody, InvalidPayload, payloadPipe } from '../../../../apps/tracker/src/control/payload-check.ts';

const COMMAND_ID = '0a000000-0000-4000-8000-00000000000a';
const envelope = { commandId: COMMAND_ID, correlationId: 'c', seenOffset: -1, user: null, body: {} };

const checked = (payload: unknown): Promise<CommandRequest> =>
  payloadPipe.transform(payload, { type: 'body', metatype: CommandRequest }) as Promise<CommandRequest>;

describe("a peer's envelope", () => {
  it('has its command id in one spelling, the one that a record has', async () => {
    expect(await checked({ ...envelope, commandId: COMMAND_ID.toUpperCase() })).toMatchObject({
      commandId: COMMAND_ID,
    });
  });

  it.each([
    ['commandId', 'x'],
    ['commandId', null],
    ['correlationId', ''],
    ['correlationId', 'one\ntwo'],
    ['correlationId', 'a command="b"'],
    ['seenOffset', -2],
    ['seenOffset', 0.5],
    ['seenOffset', 2 ** 53],
    ['user', 7],
    ['body', []],
    ['body', null],
    ['surplus', 1],
  ])('is refused with %s %j, which is named', async (field, value) => {
    await expect(checked({ ...envelope, [field]: value })).rejects.toMatchObject({ errors: [{ field }] });
  });

  it('is told what is wrong with a field as the end of a sentence about it, as the control endpoint does', async () => {
    await expect(checked({ ...envelope, user: 'a/b' })).rejects.toMatchObject({
      errors: [{ field: 'user', message: 'must not contain / or \\' }],
    });
    await expect(checked({ ...envelope, body: undefined })).rejects.toMatchObject({
      errors: [{ field: 'body', message: 'must be an object' }],
    });
  });

  it.each([[null], [undefined], [[]], [[envelope]], ['text'], [7], [true]])(
    'is none when it is %j',
    async (payload) => {
      await expect(checked(payload)).rejects.toBeInstanceOf(InvalidPayload);
    },
  );
});

describe("a command's body", () => {
  it.each([[[]], [[{}]], ['text'], [7], [null], [undefined]])('is none when it is %j', async (body) => {
    await expect(checkedBody('create_group', body as never)).rejects.toBeInstanceOf(InvalidPayload);
  });
});

describe('what is published', () => {
  const upload = { group: 'g', file: 'f', contentId: 'c'.repeat(64), hash: 'sha1' };

  it.each([
    [{ totalBytes: 0, pieceBytes: 1, pieceCount: 0 }],
    [{ totalBytes: 513, pieceBytes: 512, pieceCount: 2 }],
    [{ totalBytes: Number.MAX_SAFE_INTEGER, pieceBytes: 2 ** 39, pieceCount: 16_384 }],
  ])('may have the sizes %j', async (sizes) => {
    expect(await checkedBody('upload_file', { ...upload, ...sizes })).toMatchObject(sizes);
  });

  it.each([
    ['totalBytes', { totalBytes: -1, pieceBytes: 512, pieceCount: 1 }],
    ['pieceBytes', { totalBytes: 9, pieceBytes: 3, pieceCount: 3 }],
    ['pieceBytes', { totalBytes: 9, pieceBytes: 0, pieceCount: 3 }],
    ['pieceBytes', { totalBytes: 16_385, pieceBytes: 1, pieceCount: 16_384 }],
    ['pieceBytes', { totalBytes: 9, pieceBytes: '512', pieceCount: 1 }],
    ['pieceCount', { totalBytes: 9, pieceBytes: 512, pieceCount: 16_384 }],
    ['pieceCount', { totalBytes: 9, pieceBytes: 512, pieceCount: null }],
  ])('is refused for its %s with %j', async (field, sizes) => {
    const refused: unknown = await checkedBody('upload_file', { ...upload, ...sizes }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InvalidPayload);
    expect((refused as InvalidPayload).errors.map((error) => error.field)).toContain(field);
  });
});

it.each([[[]], ['text'], [null]])('a query of a list is none when it is %j', async (payload) => {
  await expect(payloadPipe.transform(payload, { type: 'body', metatype: ListRequest })).rejects.toBeInstanceOf(
    InvalidPayload,
  );
});

describe("a peer's presence", () => {
  const share = (shareId: number) => ({ shareId, group: '"'.repeat(64), file: '"'.repeat(255) });
  const presence = { addresses: ['192.0.2.1:9101', '[2001:db8::1]:1'], downloading: [], transport: 'tls' };
  const present = (payload: object): Promise<unknown> =>
    payloadPipe.transform(payload, { type: 'body', metatype: PresenceRequest }) as Promise<unknown>;

  it.each(['', 'nowhere', 'a:b', '\u0000:1', 'x'.repeat(254) + ':1', '127.0.0.1:65536', 7, null])(
    'is refused with %j among its addresses',
    async (address) => {
      const addresses = [...presence.addresses, address];
      await expect(present({ ...presence, addresses })).rejects.toMatchObject({ errors: [{ field: 'addresses' }] });
    },
  );

  it('with as many downloads as it may tell of fits one message, whatever their names', async () => {
    const downloading = Array.from({ length: PRESENCE_DOWNLOADS_MAX }, (_, index) => share(2 ** 53 - 1 - index));
    expect(await present({ ...presence, downloading })).toMatchObject({ downloading });
    expect(Buffer.byteLength(JSON.stringify({ ...presence, downloading }))).toBeLessThan(
      RPC_MESSAGE_BYTES_MAX - 16_384,
    );
    const unserved = Array.from({ length: 2 * PRESENCE_UNSERVED_RUNS_MAX }, (_, index) => 2 ** 53 - 5_000 + index);
    expect(await present({ ...presence, downloading, unserved })).toMatchObject({ unserved });
    expect(Buffer.byteLength(JSON.stringify({ ...presence, downloading, unserved }))).toBeLessThan(
      RPC_MESSAGE_BYTES_MAX - 16_384,
    );
    const more = [...downloading, share(1)];
    await expect(present({ ...presence, downloading: more })).rejects.toMatchObject({
      errors: [{ field: 'downloading' }],
    });
  });

  it.each([
    { unserved: Array.from({ length: 2 * PRESENCE_UNSERVED_RUNS_MAX + 2 }, (_, index) => index) },
    ...[[-1, 1], [0.5, 1], ['1', 2], [[1, 2]], [null, null], [2 ** 53, 2 ** 53]].map((unserved) => ({ unserved })),
    ...[[1], [1, 2, 3], [2, 1], [1, 3, 3, 4], [5, 6, 1, 2]].map((unserved) => ({ unserved })),
    ...[2 ** 53, {}, '1,2'].map((unserved) => ({ unserved })),
  ])('is refused with what is no list of runs of shares: $unserved', async ({ unserved }) => {
    const { errors } = (await present({ ...presence, unserved }).catch((error: unknown) => error)) as InvalidPayload;
    expect(new Set(errors.map(({ field }) => field))).toEqual(new Set(['unserved']));
  });
});
