import { closeSync, copyFileSync, openSync, readSync, renameSync, statSync, truncateSync } from 'node:fs'

/** Size of one log file, and how many former ones are kept: some weeks of an etcd whose network is bad. */
const SIZE_BYTES_MAX = 10 * 1024 * 1024
const FORMER_MAX = 2
/** The end of a log in which the reason is looked for that a program ended. */
const TAIL_BYTES = 64 * 1024

/**
 * Keeps a log file short that another process writes to. Its content is copied away and the file cut, because the writer keeps it open (for appending);
 * a line that is written in that moment may be lost. Never throws: a log is not worth a voter.
 */
export function boundLog(path: string, sizeBytesMax = SIZE_BYTES_MAX): void {
  try {
    if (statSync(path).size <= sizeBytesMax) return
    for (let number = FORMER_MAX - 1; number >= 1; number -= 1)
      renameIfThere(`${path}.${number}`, `${path}.${number + 1}`)
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
  } catch {
    // Not there yet, or the disk is full: it is tried again.
  }
}

/** Reads the last lines of a log, of those after byte `from`; none when there is none. One that was cut since is read from its beginning. */
export function readLastLines(path: string, from = 0): readonly string[] {
  try {
    const file = openSync(path, 'r')
    try {
      const { size } = statSync(path)
      const sizeBytes = from > size ? size : size - from
      const buffer = Buffer.alloc(Math.min(sizeBytes, TAIL_BYTES))
      readSync(file, buffer, 0, buffer.length, size - buffer.length)
      return buffer
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
    } finally {
      closeSync(file)
    }
  } catch {
    return [] // Whoever asks gets no reason then, which is what he says.
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
