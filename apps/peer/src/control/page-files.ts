// Owns the files of the page as they are served: read once, compressed once, each with the headers that let a browser keep it for exactly
// as long as it is right. Names that hold a digest never change; the page itself is asked for every time, and is mostly as it was.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const FOREVER = 'public, max-age=31536000, immutable';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly cacheControl: string;
  /** A strong entity tag of the compressed or the plain bytes alike. */
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

/** What there is of a page, by its address below the root: `` for the page itself, `assets/<name>`. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Where the build is, for who runs from it and for who runs from source. */
export function builtPageFolder(): string {
  return join(dirname(findPackageJSON('..', import.meta.url) ?? ''), 'dist', 'web');
}

/** Reads the page. It is empty where it was not built, as for who runs from source. */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  const page = await readIfThere(join(folder, 'index.html'));
  if (page === null) return files;
  files.set('', await pageFile('index.html', page));
  for (const name of await readdir(join(folder, 'assets'))) {
    files.set(`assets/${name}`, await pageFile(name, await readFile(join(folder, 'assets', name))));
  }
  return files;
}

async function pageFile(name: string, plain: Buffer): Promise<PageFile> {
  const extension = extname(name);
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    cacheControl: extension === '.html' ? 'no-cache' : FOREVER,
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    plain,
    gzipped: await promisify(gzip)(plain, { level: 9 }),
  };
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
