// Owns a place that is this checkout in all that commands see of it, and has nothing of what was typed in the real one: links to
// what the programs are, and a folder `.cohort` of its own.
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../quick-start/node-process.ts';

const LINKED = ['apps', 'dist', 'infra', 'libs', 'node_modules', 'package.json', 'README.md'];

/** A folder in which the README's commands work as they stand there. */
export interface StagedCheckout {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Makes one; it is removed by who asked for it. */
export async function stageCheckout(): Promise<StagedCheckout> {
  const outer = await mkdtemp(join(tmpdir(), 'cohort-stage-'));
  const folder = join(outer, 'cohort');
  await mkdir(folder);
  await Promise.all(LINKED.map((name) => symlink(join(ROOT, name), join(folder, name))));
  return { folder, remove: () => rm(outer, { recursive: true, force: true }) };
}
