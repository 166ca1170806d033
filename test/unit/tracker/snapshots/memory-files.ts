// The folder of snapshots in memory, for tests.
import type { SnapshotFiles } from '../../../../apps/tracker/src/snapshots/snapshot-files.ts';

export class MemoryFiles implements SnapshotFiles {
  readonly files = new Map<string, Buffer>();

  names(): Promise<readonly string[]> {
    return Promise.resolve([...this.files.keys()]);
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    const bytes = this.files.get(name);
    if (bytes === undefined) throw Object.assign(new Error(`no file ${name}`), { code: 'ENOENT' });
    for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
    await Promise.resolve();
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const piece of pieces) parts.push(piece);
    this.files.set(name, Buffer.concat(parts));
  }

  rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.files.get(from)!);
    this.files.delete(from);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.files.delete(name);
    return Promise.resolve();
  }
}
