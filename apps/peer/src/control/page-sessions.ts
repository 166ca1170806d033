// Owns how a browser comes to be let in: a ticket that is good once and for a minute is exchanged for a cookie, which scripts cannot read and
// other sites cannot send. The cookie is signed with a key made from the control token, so it holds over restarts of the peer, nothing is
// stored, and another token ends all of them. The peer's id stands in its name, because a browser gives the cookies of one host to all its ports.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const TICKET_MS = 60_000;
const SESSION_SECONDS = 30 * 24 * 3600;
/** A cookie is renewed when its page is loaded, once it is older than this. */
const RENEWED_AFTER_SECONDS = 24 * 3600;
/** Tickets that were made and not used: of more the oldest is worth nothing. */
const TICKETS_KEPT = 16;
const NAME_CHARACTERS = 12;

/** What the sessions are made from. `now` is in milliseconds since 1970. */
export interface PageSessionsParts {
  readonly peerId: string;
  readonly controlToken: string;
  readonly now: () => number;
}

/** The browsers that are let in to the page of one peer. */
export class PageSessions {
  readonly #cookieName: string;
  readonly #key: Buffer;
  readonly #now: () => number;
  /** By the hash of a ticket, when it ends. */
  readonly #tickets = new Map<string, number>();

  constructor({ peerId, controlToken, now }: PageSessionsParts) {
    this.#cookieName = `cohort-${peerId.slice(0, NAME_CHARACTERS)}`;
    this.#key = createHmac('sha256', controlToken).update(`cohort page session\n${peerId}`).digest();
    this.#now = now;
  }

  /** Makes a ticket. */
  issue(): { readonly ticket: string; readonly expiresMs: number } {
    const ticket = randomBytes(32).toString('base64url');
    const expiresMs = this.#now() + TICKET_MS;
    this.#tickets.set(hashOf(ticket), expiresMs);
    const [oldest] = this.#tickets.keys();
    if (this.#tickets.size > TICKETS_KEPT) this.#tickets.delete(oldest!);
    return { ticket, expiresMs };
  }

  /** Whether a ticket is good. It is not any more after that. */
  redeem(ticket: string): boolean {
    const hash = hashOf(ticket);
    const expiresMs = this.#tickets.get(hash);
    this.#tickets.delete(hash);
    return expiresMs !== undefined && this.#now() < expiresMs;
  }

  /** The `Set-Cookie` that lets a browser in. */
  cookie(): string {
    const expiresSeconds = Math.floor(this.#now() / 1000) + SESSION_SECONDS;
    return this.#setCookie(`${expiresSeconds}.${this.#sign(expiresSeconds).toString('base64url')}`, SESSION_SECONDS);
  }

  /** The `Set-Cookie` for a browser that was let in a while ago and comes again; null where there is nothing to renew. */
  renewedCookie(cookies: string | undefined): string | null {
    const good = this.#valuesOf(cookies).filter((value) => this.#isGood(value));
    if (good.length === 0) return null;
    const leftSeconds = Math.max(...good.map((value) => Number.parseInt(value, 10))) - this.#now() / 1000;
    return leftSeconds < SESSION_SECONDS - RENEWED_AFTER_SECONDS ? this.cookie() : null;
  }

  /** The `Set-Cookie` that takes that back. */
  clearedCookie(): string {
    return this.#setCookie('', 0);
  }

  /** Whether the cookies of a request, as its header has them, let it in. */
  opens(cookies: string | undefined): boolean {
    return this.#valuesOf(cookies).some((value) => this.#isGood(value));
  }

  /** Every value of the cookie: a browser sends several of one name when they were set for several paths. */
  #valuesOf(cookies: string | undefined): string[] {
    return (cookies ?? '').split(';').flatMap((cookie) => {
      const [name, ...value] = cookie.trim().split('=');
      return name === this.#cookieName ? [value.join('=')] : [];
    });
  }

  #isGood(value: string): boolean {
    const [, expires, signature] = /^(\d{1,12})\.([\w-]{43})$/.exec(value) ?? [];
    if (expires === undefined || signature === undefined) return false;
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#sign(Number(expires));
    const isOwn = given.length === expected.length && timingSafeEqual(given, expected);
    return isOwn && this.#now() < Number(expires) * 1000;
  }

  #sign(expiresSeconds: number): Buffer {
    return createHmac('sha256', this.#key).update(String(expiresSeconds)).digest();
  }

  #setCookie(value: string, maxAgeSeconds: number): string {
    return `${this.#cookieName}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict`;
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('hex');
}
