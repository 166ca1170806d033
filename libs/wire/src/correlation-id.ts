// Owns what a request may be called, to be found again in logs: what can stand in a header, a line and a record without being
// anything else there.
import { CORRELATION_ID_CHARACTERS_MAX } from './limits.ts';

/** What such a name has to match. */
export const CORRELATION_ID = new RegExp(`^[A-Za-z0-9._:/+=@-]{1,${CORRELATION_ID_CHARACTERS_MAX}}$`);
