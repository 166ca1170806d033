// Owns the tokens of the control endpoint: the control token of the data directory, which may do everything, and named keys
// with a scope. Keys are stored as hashes, so they are shown once; comparing hashes tells nothing by its timing.
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataDirUnusable } from '#identity/data-dir-lock';
import { type FileReports, hasFields, readJsonIfSound, readTextIfThere, ReplacedFile } from '#identity/durable-file';
import type { ApiKeyItem, NewApiKeyView } from '#wire/control-api';
import type { ApiKeyScope } from '#wire/control-requests';

const TOKEN_BYTES = 32;
const FILE_NAME = 'api-keys.json';

interface StoredKey extends ApiKeyItem {
  /** SHA-256 of the key in hex. */
  readonly keyHash: string;
}

/**
 * The token in a file that only its owner reads; made when the file is missing. Throws DataDirUnusable when the file is
 * there and does not hold 16 to 512 printable characters.
 */
export async function loadOrCreateToken(path: string): Promise<string> {
  const there = (await readTextIfThere(path))?.trim();
  if (there !== undefined) {
    if (!/^[\x21-\x7e]{16,512}$/.test(there)) {
      throw new DataDirUnusable(`${path} holds no token of 16 to 512 printable characters: remove it and one is made`);
    }
    await chmod(path, 0o600);
    return there;
  }
  const token = newToken();
  await writeFile(path, `${token}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return token;
}

/** The named keys, and the control token beside them. */
export class ApiKeys {
  readonly #file: ReplacedFile;
  readonly #controlTokenHash: Buffer;
  readonly #keys: Map<string, StoredKey>;
  readonly #now: () => number;

  private constructor(
    file: ReplacedFile,
    keys: readonly StoredKey[],
    options: { controlToken: string; now: () => number },
  ) {
    this.#file = file;
    this.#keys = new Map(keys.map((key) => [key.keyHash, key]));
    this.#controlTokenHash = hashOf(options.controlToken);
    this.#now = options.now;
  }

  static async open(
    options: Pick<FileReports, 'damaged'> & { dataDirectory: string; controlToken: string; now: () => number },
  ): Promise<ApiKeys> {
    const path = join(options.dataDirectory, FILE_NAME);
    const keys = await readJsonIfSound(path, { isSound: areStoredKeys, damaged: options.damaged });
    return new ApiKeys(new ReplacedFile(path), keys ?? [], options);
  }

  /** What a token may do, or null for one that is none. */
  scopeOf(token: string): ApiKeyScope | null {
    if (this.isControlToken(token)) return 'admin';
    return this.#keys.get(hashOf(token).toString('hex'))?.scope ?? null;
  }

  /** Whether it is the token of the data directory, and not a key, which can be deleted. */
  isControlToken(token: string): boolean {
    const hash = hashOf(token);
    return timingSafeEqual(hash, this.#controlTokenHash);
  }

  /** Oldest first. */
  list(): ApiKeyItem[] {
    return [...this.#keys.values()].map(shown);
  }

  async add({ name, scope }: { name: string; scope: ApiKeyScope }): Promise<NewApiKeyView> {
    const key = newToken();
    const keyHash = hashOf(key).toString('hex');
    const stored = { keyId: randomUUID(), name, scope, createdAt: new Date(this.#now()).toISOString(), keyHash };
    this.#keys.set(keyHash, stored);
    await this.#store();
    return { ...shown(stored), key };
  }

  /** Whether there was such a key. */
  async remove(keyId: string): Promise<boolean> {
    const stored = [...this.#keys.values()].find((key) => key.keyId === keyId);
    if (stored === undefined) return false;
    this.#keys.delete(stored.keyHash);
    await this.#store();
    return true;
  }

  async #store(): Promise<void> {
    await this.#file.write(JSON.stringify([...this.#keys.values()], null, 2));
  }
}

function areStoredKeys(value: unknown): value is StoredKey[] {
  const fields = { keyId: 'string', name: 'string', scope: 'string', createdAt: 'string', keyHash: 'string' } as const;
  return Array.isArray(value) && value.every((key) => hasFields(key, fields));
}

function shown({ keyId, name, scope, createdAt }: StoredKey): ApiKeyItem {
  return { keyId, name, scope, createdAt };
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
