// What the page makes of the answers of a peer that are played.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { get, isShutOut, showProof } from '../../../apps/peer/web/src/api/client.ts';

const REFUSED = { code: 'control_token_required', detail: 'It is used.', retryable: false };

beforeEach(() => {
  isShutOut.value = false;
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json(REFUSED, { status: 401 })));
});
afterEach(() => void vi.unstubAllGlobals());

test('a page is shut out when what it asks for is refused, and not when a ticket is', async () => {
  expect(await showProof({ ticket: 'used' })).toEqual({ ok: false, problem: { ...REFUSED, errors: [] } });
  expect(isShutOut.value).toBe(false);
  expect(await get('/status')).toEqual({ ok: false, problem: { ...REFUSED, errors: [] } });
  expect(isShutOut.value).toBe(true);
});
