/** An open file; of use only to the `Files` that made it. */
export type OpenFile = number

/** How a file is opened. `create`: read and write, made when absent; `create-new`: made, fails with EEXIST when there. */
export type OpenMode = 'read' | 'read-write' | 'create' | 'create-new' | 'directory'

/**
 * The file calls of the store, each with the name of its call site (`op`, such as `log:append`), so that a test can make exactly that one fail
 * or end the process there, and find out what the next start sees.
 *
 * Promise: failures are thrown as Node.js makes them, with `code` (`ENOSPC`). All calls but `sync` block: what happens under the lock of the
 * database happens in one turn of the event loop, so that a process that is stopped by a signal holds the lock for microseconds at most.
 */
export interface Files {
  open(op: string, path: string, mode: OpenMode): OpenFile
  close(op: string, file: OpenFile): void
  /** Reads into `into` from `position` on; returns how many bytes there were, 0 at the end. */
  read(op: string, file: OpenFile, into: Uint8Array, position: number): number
  /** Writes all bytes, or throws; then some of them may be there. */
  write(op: string, file: OpenFile, bytes: Uint8Array, position: number): void
  sizeBytes(op: string, file: OpenFile): number
  truncate(op: string, file: OpenFile, sizeBytes: number): void
  /** Makes the content of a file, or the names in a directory, survive a loss of power. Does not block the event loop. */
  sync(op: string, file: OpenFile): Promise<void>
  /** The same, blocking, for the few places that hold the lock. */
  syncNow(op: string, file: OpenFile): void
  /** Renames within one directory; replaces `to` atomically. */
  rename(op: string, from: string, to: string): void
  remove(op: string, path: string): void
  /** Names in a directory, in no order. */
  list(op: string, directory: string): readonly string[]
  /** Makes a directory and those above it; nothing when it is there. */
  makeDirectory(op: string, path: string): void
  /** Tells whether `path` still names the open file: false when it was removed or replaced. */
  isStill(op: string, path: string, file: OpenFile): boolean
  /**
   * Takes the lock of a file if nobody has it, without waiting. The kernel gives it back when the file is closed or its process dies, in whatever way.
   * Not counted: taking it twice through one open file succeeds.
   */
  tryLock(op: string, file: OpenFile): boolean
  unlock(op: string, file: OpenFile): void
  /** Calls `onHint` soon after something in the directory changed. A hint: calls may be missing, late or superfluous. Throws when the kernel has no watch left. */
  watch(op: string, directory: string, onHint: () => void): { close(): void }
}
