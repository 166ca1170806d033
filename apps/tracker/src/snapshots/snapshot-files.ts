// The port to the folder of a tracker's snapshots. What is in it is a cache: any of it may be missing, cut off or wrong, and
// a write that was told to be done may be gone after a crash.

/** A flat folder of files. Nobody else changes it while a tracker runs. */
export interface SnapshotFiles {
  /** The names of all files, in any order; none when there is no folder. */
  names(): Promise<readonly string[]>;
  /** The bytes of a file in pieces of bounded size, from its beginning. Rejects when it is not there or cannot be read. */
  read(name: string): AsyncIterable<Uint8Array>;
  /**
   * Puts a file under a name, in place of what stood there, once all of it is on the disk: after a crash the name has the
   * old file or the new one. Rejects with what the pieces reject with, or when there is no right or room to write.
   */
  write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** Gives a file another name, in place of what stood there. Rejects when it is not there. */
  rename(from: string, to: string): Promise<void>;
  /** Takes a file away; nothing when it is not there. */
  remove(name: string): Promise<void>;
}
