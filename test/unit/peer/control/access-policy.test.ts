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
  opensPage: (cookies) => cookies === 'let=in',
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

describe('the page', () => {
  const route = '/';

  test('is had without a token, with what it is made of', () => {
    for (const method of ['GET', 'HEAD']) {
      expect(codeOf({ authorization: undefined, route, method })).toBeNull();
      expect(codeOf({ authorization: undefined, route: '/assets/:name', method })).toBeNull();
    }
    expect(codeOf({ authorization: undefined, route, method: 'POST' })).toBe('control_token_required');
    expect(codeOf({ authorization: undefined, route: '/assets' })).toBe('control_token_required');
  });

  test('may be what a link of another page leads to, and is read by none', () => {
    const led = { route, fetchSite: 'cross-site', fetchMode: 'navigate' };
    expect(codeOf(led)).toBeNull();
    expect(codeOf({ ...led, fetchMode: 'no-cors' })).toBe('foreign_origin');
    expect(codeOf({ ...led, fetchMode: undefined })).toBe('foreign_origin');
    expect(codeOf({ ...led, origin: 'http://evil.example' })).toBe('foreign_origin');
    expect(codeOf({ ...led, route: '/api/v1/status' })).toBe('foreign_origin');
    expect(codeOf({ ...led, host: 'evil.example' })).toBe('foreign_host');
  });

  test('asks to be let in without a token, in JSON, and from its own origin', () => {
    const enter = {
      authorization: undefined,
      method: 'POST',
      route: '/api/v1/page-sessions',
      contentType: 'application/json',
    };
    expect(codeOf(enter)).toBeNull();
    expect(codeOf({ ...enter, contentType: 'text/plain' })).toBe('json_required');
    expect(codeOf({ ...enter, fetchSite: 'same-site' })).toBe('foreign_origin');
    expect(codeOf({ ...enter, route: '/api/v1/page-tickets' })).toBe('control_token_required');
    expect(codeOf({ ...enter, route: '/api/v1/page-tickets', authorization: 'Bearer transfer' })).not.toBeNull();
    expect(codeOf({ ...enter, route: '/api/v1/page-tickets', authorization: 'Bearer admin' })).toBeNull();
  });
});

describe('the cookie of the page', () => {
  const own = { authorization: undefined, cookie: 'let=in', fetchSite: 'same-origin' };
  const command = { ...own, method: 'POST', route: '/api/v1/commands/logout', contentType: 'application/json' };

  test('may do everything that the token may', () => {
    expect(codeOf(own)).toBeNull();
    expect(codeOf(command)).toBeNull();
    expect(codeOf({ ...command, route: '/api/v1/api-keys' })).toBeNull();
    expect(codeOf({ ...own, cookie: 'let=out' })).toBe('control_token_required');
    expect(codeOf({ ...own, cookie: undefined })).toBe('control_token_required');
  });

  test('changes something only for the page itself, by the word of the browser', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      expect(codeOf({ ...command, method, fetchSite: undefined }), method).toBe('foreign_origin');
      expect(codeOf({ ...command, method, fetchSite: 'none' }), method).toBe('foreign_origin');
      expect(codeOf({ ...command, method, fetchSite: undefined, origin: 'http://127.0.0.1:7070' }), method).toBeNull();
      expect(codeOf({ ...command, method, origin: 'http://127.0.0.1:8080' }), method).toBe('foreign_origin');
    }
    expect(codeOf({ ...own, fetchSite: 'none' })).toBeNull();
    expect(codeOf({ ...own, fetchSite: 'same-site' })).toBe('foreign_origin');
  });

  test('counts for nothing beside a token', () => {
    expect(codeOf({ ...own, authorization: 'Bearer other' })).toBe('control_token_required');
    expect(codeOf({ ...command, authorization: 'Bearer read' })).toBe('control_token_required');
  });
});

test('a file that is dropped comes as bytes, with a token that may do everything', () => {
  const drop = {
    method: 'POST',
    route: '/api/v1/dropped-files',
    hasBody: true,
    contentType: 'application/octet-stream',
  };
  expect(codeOf(drop)).toBeNull();
  expect(codeOf({ ...drop, contentType: 'application/json' })).toBe('json_required');
  expect(codeOf({ ...drop, authorization: 'Bearer read' })).toBe('control_token_required');
  expect(codeOf({ ...drop, route: '/api/v1/transfers/:id/pause' })).toBe('json_required');
});
