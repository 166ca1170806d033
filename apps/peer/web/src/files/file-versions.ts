// Owns reading all versions of one file, the newest first: in the list of all versions of a group they stand together, and it goes on
// behind a cursor of a name and a version.
import type { FileItem } from '#wire/control-api';
import { get, type Page, part } from '../api/client.ts';
import type { Answer } from '../api/problem.ts';

/** Most files have a version or two, and what is read beyond them is of other files. */
const VERSIONS_AT_ONCE = 20;

/** All versions of a file, the newest first. */
export async function versionsOf(group: string, file: string): Promise<Answer<readonly FileItem[]>> {
  const path = `/groups/${part(group)}/files?versions=all&limit=${VERSIONS_AT_ONCE}`;
  const versions: FileItem[] = [];
  for (let after = `${file}/${Number.MAX_SAFE_INTEGER}`; ;) {
    const page: Answer<Page<FileItem>> = await get<Page<FileItem>>(`${path}&after=${part(after)}`);
    if (!page.ok) return page;
    const { items, next } = page.value;
    versions.push(...items.filter((item) => item.file === file));
    if (next === null || items.at(-1)?.file !== file) return { ...page, value: versions };
    after = next;
  }
}
