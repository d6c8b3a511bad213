/** The part of fs-native-extensions (which has no types of its own) that Haven uses: locks of open file descriptions (fcntl F_OFD_SETLK). */
declare module 'fs-native-extensions' {
  /** Locks the whole file for this open file, without waiting; false when another open file has it. */
  export function tryLock(fd: number): boolean
  export function unlock(fd: number): void
}
