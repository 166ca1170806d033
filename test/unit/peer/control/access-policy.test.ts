import { describe, expect, test } from 'vitest';
import {
  type AccessPolicy,
  type AccessRequest,
  accessRefusal,
} from '../../../../apps/peer/src/control/access-policy.ts';

const POLICY: AccessPolicy = {
  port: 7070,
  ownHosts: new Set(['127.0.0.1', 'localhost', '[::1]']),
  allowedHosts: new Set(['peer.example', 'other.example:8443']),
  scopeOf: (token) => (token === 'admin' || token === 'read' || token === 'transfer' ? token : null),
  opensLink: ({ signature }) => signature === 'good',
};

const REQUEST: AccessRequest = {
  method: 'GET',
  route: '/api/v1/status',
  host: '127.0.0.1:7070',
  origin: undefined,
  fetchSite: undefined,
  authorization: 'Bearer admin',
  contentType: undefined,
  hasBody: false,
};

const codeOf = (change: Partial<AccessRequest>): string | null =>
  accessRefusal({ ...REQUEST, ...change }, POLICY)?.code ?? null;

describe('the Host header', () => {
  test.each(['127.0.0.1:7070', 'localhost:7070', 'LOCALHOST:7070', '[::1]:7070', 'peer.example', 'peer.example:80'])(
    '%s is answered',
    (host) => expect(codeOf({ host })).toBeNull(),
  );

  test.each([
    ...[
      undefined,
      '',
      'evil.example',
      'evil.example:7070',
      '127.0.0.1',
      '127.0.0.1:7071',
      'localhost.evil.example:7070',
    ],
    ...[
      '127.0.0.1.evil.example:7070',
      'other.example',
      'other.example:7070',
      '127.0.0.1:7070:7070',
      'a@127.0.0.1:7070',
    ],
    ...['127.evil.com', '127.evil.com:7070', '127.0.0.1.:7070', '127.1:7070', '2130706433:7070', '0.0.0.0:7070'],
    ...['[::ffff:127.0.0.1]:7070', '[::]:7070', 'localhost.:7070', '127.0.0.1:07071', '127.0.0.1:7070 evil.example'],
  ])('%s is foreign', (host) => expect(codeOf({ host })).toBe('foreign_host'));
});

describe('the Origin header', () => {
  test.each(['http://127.0.0.1:7070', 'https://127.0.0.1:7070'])('%s is the page of the endpoint itself', (origin) =>
    expect(codeOf({ origin })).toBeNull(),
  );

  test.each(['null', 'http://evil.example', 'http://127.0.0.1:8080', 'http://localhost:7070'])(
    '%s is foreign',
    (origin) => expect(codeOf({ origin })).toBe('foreign_origin'),
  );

  test('a request that a browser calls cross-site is foreign without an Origin too', () =>
    expect(codeOf({ fetchSite: 'cross-site' })).toBe('foreign_origin'));
});

describe('the token', () => {
  test.each([undefined, '', 'Bearer', 'Bearer ', 'Bearer other', 'Basic admin', 'admin', 'Bearer admin x'])(
    '%s is none',
    (authorization) => expect(codeOf({ authorization })).toBe('control_token_required'),
  );

  test.each(['/health/live', '/metrics', '/api/docs', '/api/docs-json', '/api/docs/index.html'])(
    '%s needs none',
    (route) => expect(codeOf({ authorization: undefined, route })).toBeNull(),
  );

  test.each([undefined, '/api/v1/status', '/api/docsx', '/metrics/other', '/api/v1/health/live'])(
    'route %s needs one',
    (route) => expect(codeOf({ authorization: undefined, route })).toBe('control_token_required'),
  );

  test('the scope read reads and does nothing', () => {
    const authorization = 'Bearer read';
    expect(codeOf({ authorization })).toBeNull();
    expect(codeOf({ authorization, method: 'POST', route: '/api/v1/transfers/:id/pause' })).not.toBeNull();
    expect(codeOf({ authorization, method: 'DELETE', route: '/api/v1/transfers/:id' })).not.toBeNull();
  });

  test('the scope transfer moves files, and neither logs out nor makes keys', () => {
    const json = { authorization: 'Bearer transfer', method: 'POST', contentType: 'application/json' };
    expect(codeOf({ ...json, route: '/api/v1/commands/download_file' })).toBeNull();
    expect(codeOf({ ...json, route: '/api/v1/transfers/:id/pause' })).toBeNull();
    expect(codeOf({ ...json, route: '/api/v1/commands/logout' })).toBe('control_token_required');
    expect(codeOf({ ...json, route: '/api/v1/api-keys' })).toBe('control_token_required');
    expect(codeOf({ ...json, method: 'GET', route: '/api/v1/api-keys' })).toBe('control_token_required');
  });
});

describe('the content type', () => {
  const command = { method: 'POST', route: '/api/v1/commands/logout' };

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])('%s is taken', (contentType) =>
    expect(codeOf({ ...command, contentType })).toBeNull(),
  );

  test.each([
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'text/application/json',
  ])('%s is refused for a command', (contentType) => expect(codeOf({ ...command, contentType })).toBe('json_required'));

  test('a transfer is paused without a body, and a body of another type is refused there too', () => {
    const pause = { method: 'POST', route: '/api/v1/transfers/:id/pause' };
    expect(codeOf(pause)).toBeNull();
    expect(codeOf({ ...pause, hasBody: true, contentType: 'text/plain' })).toBe('json_required');
  });
});

test('who asks from a foreign page with a wrong token learns of the page first', () =>
  expect(codeOf({ host: 'evil.example', authorization: undefined })).toBe('foreign_host'));

describe('a link to a file', () => {
  const route = '/api/v1/groups/:group/files/:file/content';
  const signed = {
    group: 'films',
    file: 'a',
    path: undefined,
    version: undefined,
    keep: false,
    expiresMs: 1,
    signature: 'good',
  };
  const linked = { authorization: undefined, route, signed };

  test('opens its file, and nothing else', () => {
    for (const method of ['GET', 'HEAD']) expect(codeOf({ ...linked, method }), method).toBeNull();
    expect(codeOf({ ...linked, method: 'POST' })).toBe('control_token_required');
    for (const other of [`${route}-link`, '/api/v1/groups/:group/files', '/api/v1/status', undefined]) {
      expect(codeOf({ ...linked, route: other }), other).toBe('control_token_required');
    }
  });

  test('that is not good, or not there, opens nothing, and says so', () => {
    expect(codeOf({ ...linked, signed: null })).toBe('control_token_required');
    const bad = { ...REQUEST, ...linked, signed: { ...signed, signature: 'bad' } };
    expect(accessRefusal(bad, POLICY)).toMatchObject({ detail: expect.stringMatching(/^This link/) as string });
    expect(codeOf({ ...bad, authorization: 'Bearer admin' })).toBeNull();
  });

  test('opens it to no page of another origin', () => {
    expect(codeOf({ ...linked, origin: 'http://evil.example' })).toBe('foreign_origin');
    expect(codeOf({ ...linked, fetchSite: 'cross-site' })).toBe('foreign_origin');
  });

  test('is made, and content is read, with a key that may move files', () => {
    for (const of of [route, `${route}-link`]) {
      const method = of === route ? 'GET' : 'POST';
      expect(codeOf({ route: of, method, authorization: 'Bearer read' })).toBe('control_token_required');
      expect(codeOf({ route: of, method, authorization: 'Bearer transfer' })).toBeNull();
    }
  });
});
