// Owns the keys of auditors who ask a tracker over HTTP: named, shown once, kept as hashes, one file each in a folder of the
// tracker's data directory. An operator makes and deletes them beside a tracker that runs, which looks at every request.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flushFolder, hasFields, readTextIfThere } from '#identity/durable-file';
import { BadInput } from '#identity/start-input';

/** A key as an operator sees it. */
export interface AuditKey {
  readonly keyId: string;
  /** Whose it is, as the operator wrote it. */
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

interface StoredKey extends AuditKey {
  /** SHA-256 of the whole key, hex. */
  readonly keyHash: string;
}

/** Of a tracker's data directory. */
export const AUDIT_KEYS_FOLDER = 'audit-keys';

const KEY_ID_BYTES = 8;
const SECRET_BYTES = 32;
const KEY = /^([0-9a-f]{16})\.[A-Za-z0-9_-]{43}$/;
const KEY_ID = /^[0-9a-f]{16}$/;
const NAME = /^\P{Cc}{1,64}$/u;

/** The keys of one tracker. Nothing is held in memory: what is on the disk counts. */
export class AuditKeys {
  readonly #folder: string | null;

  /** Without a folder nobody has a key. */
  constructor(folder: string | null) {
    this.#folder = folder;
  }

  /** The key that a token is, or null for one that is none, or none any more. */
  async keyOf(token: string): Promise<AuditKey | null> {
    const keyId = KEY.exec(token)?.[1];
    if (keyId === undefined || this.#folder === null) return null;
    const stored = await this.#stored(keyId);
    if (stored === null) return null;
    return timingSafeEqual(hashOf(token), Buffer.from(stored.keyHash, 'hex')) ? shown(stored) : null;
  }

  /** Makes a key; what is returned is the only place where it stands. Throws BadInput for a name that is none. */
  async create(name: string): Promise<{ keyId: string; key: string }> {
    if (!NAME.test(name)) throw new BadInput('<name>: say whose key it is, in 1 to 64 characters');
    const keyId = randomBytes(KEY_ID_BYTES).toString('hex');
    const key = `${keyId}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const stored: StoredKey = {
      keyId,
      name,
      createdAt: new Date().toISOString(),
      keyHash: hashOf(key).toString('hex'),
    };
    const folder = this.#writable();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(this.#path(keyId), `${JSON.stringify(stored)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await flushFolder(folder);
    return { keyId, key };
  }

  /** All of them, the oldest first. */
  async list(): Promise<AuditKey[]> {
    const names = await readdir(this.#writable()).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const ids = names.map((name) => name.replace('.json', '')).filter((id) => KEY_ID.test(id));
    const keys = await Promise.all(ids.map((id) => this.#stored(id)));
    const sound = keys.filter((key) => key !== null).map(shown);
    return sound.toSorted((left, right) => (left.createdAt < right.createdAt ? -1 : 1));
  }

  /** Whether there was such a key; it is worth nothing from now on. */
  async delete(keyId: string): Promise<boolean> {
    if (!KEY_ID.test(keyId)) return false;
    try {
      await rm(this.#path(keyId));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    await flushFolder(this.#writable());
    return true;
  }

  /** A file that is none of ours is no key. */
  async #stored(keyId: string): Promise<StoredKey | null> {
    const text = await readTextIfThere(this.#path(keyId));
    try {
      const value: unknown = JSON.parse(text ?? 'null');
      const isKey = hasFields(value, { keyId: 'string', name: 'string', createdAt: 'string', keyHash: 'string' });
      return isKey && /^[0-9a-f]{64}$/.test((value as StoredKey).keyHash) ? (value as StoredKey) : null;
    } catch {
      return null;
    }
  }

  #path(keyId: string): string {
    return join(this.#writable(), `${keyId}.json`);
  }

  #writable(): string {
    if (this.#folder === null) throw new Error('there is no folder for keys');
    return this.#folder;
  }
}

function shown({ keyId, name, createdAt }: StoredKey): AuditKey {
  return { keyId, name, createdAt };
}

function hashOf(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
