// Owns for how long tests wait for what has to come: on a machine that is busy with other things, too, it comes. Vitest gives
// `vi.waitFor` a second, and no setting for it.
import { vi } from 'vitest';

const WAIT_MS = 10_000;
const { waitFor, waitUntil } = vi;

vi.waitFor = (look, options) => waitFor(look, typeof options === 'number' ? options : { timeout: WAIT_MS, ...options });
vi.waitUntil = (look, options) =>
  waitUntil(look, typeof options === 'number' ? options : { timeout: WAIT_MS, ...options });
