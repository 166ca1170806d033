// Owns links to one file each, for a player or a <video> that cannot send a token: signed, for one user and a short time. The key is
// of this run of the peer, so that a link ends with it; a token stands in no address.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Which file of which share, and whether what is fetched for it stays. */
export interface LinkedFile {
  readonly group: string;
  readonly file: string;
  readonly path: string | undefined;
  /** Undefined for the newest. */
  readonly version: number | undefined;
  readonly keep: boolean;
}

/** A file as a link names it. */
export interface SignedFile extends LinkedFile {
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
  readonly signature: string;
}

export class ContentLinks {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  readonly #user: () => string | null;

  constructor(parts: { readonly now: () => number; readonly user: () => string | null }) {
    this.#now = parts.now;
    this.#user = parts.user;
  }

  /** The path and query of a link for who is logged in, and when it ends. */
  make(linked: LinkedFile, lifetimeSeconds: number): { readonly pathAndQuery: string; readonly expiresMs: number } {
    const expiresMs = this.#now() + lifetimeSeconds * 1000;
    const { group, file, path, version, keep } = linked;
    const query = new URLSearchParams({
      ...(path !== undefined && { path }),
      ...(version !== undefined && { version: String(version) }),
      ...(keep && { keep: 'true' }),
      expires: String(expiresMs),
      signature: this.#sign(linked, expiresMs).toString('base64url'),
    });
    const share = `/api/v1/groups/${encodeURIComponent(group)}/files/${encodeURIComponent(file)}`;
    return { pathAndQuery: `${share}/content?${query.toString()}`, expiresMs };
  }

  /** Whether this run of the peer made such a link, for who is logged in now, and it has not ended. */
  opens({ expiresMs, signature, ...linked }: SignedFile): boolean {
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#sign(linked, expiresMs);
    const isOwn = given.length === expected.length && timingSafeEqual(given, expected);
    return isOwn && this.#user() !== null && this.#now() < expiresMs;
  }

  #sign({ group, file, path, version, keep }: LinkedFile, expiresMs: number): Buffer {
    const named = [
      this.#user(),
      group.normalize('NFC'),
      file.normalize('NFC'),
      path ?? null,
      version ?? null,
      keep,
      expiresMs,
    ];
    return createHmac('sha256', this.#key).update(JSON.stringify(named)).digest();
  }
}

/** The file that a request names with a signature; null when it has none. Parameters may be anything. */
export function signedFileOf(params: unknown, query: unknown): SignedFile | null {
  const { group, file } = (params ?? {}) as Record<string, unknown>;
  const { path, version, keep, expires, signature } = (query ?? {}) as Record<string, unknown>;
  if (typeof group !== 'string' || typeof file !== 'string' || typeof signature !== 'string') return null;
  if (typeof expires !== 'string' || !/^\d{1,15}$/.test(expires)) return null;
  if (path !== undefined && typeof path !== 'string') return null;
  if (version !== undefined && typeof version !== 'string') return null;
  const numbers = { version: version === undefined ? undefined : Number(version), expiresMs: Number(expires) };
  return { group, file, path, ...numbers, keep: keep === 'true', signature };
}
