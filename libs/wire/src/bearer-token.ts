// Owns how a request says by which token it comes: the Authorization header of RFC 6750, 2.1.

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/** The token in an Authorization header; null when it holds none of 1 to 512 printable characters. */
export function bearerToken(authorization: string | undefined): string | null {
  return BEARER.exec(authorization ?? '')?.[1] ?? null;
}
