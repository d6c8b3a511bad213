import { readdirSync, readFileSync } from 'node:fs'

/** Bit of open(2) that closes a file when a program is executed, as proc(5) shows it in `fdinfo`. */
const O_CLOEXEC = 0o2000000
/** Whoever hands on files beyond this number means it. */
const FD_MAX = 1023

/**
 * Finds files that this process got from the one that started it and would hand on to each child (a terminal's pipes, the lock of a script). Node.js
 * marks only the first ones of them for closing, and has no call to mark the others.
 */
export function findInheritedFiles(): readonly number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => fd > 2 && fd <= FD_MAX && isHandedOn(fd))
}

/** Makes the list of files of a child that has only `output`: what it would inherit is covered by that. */
export function coverInherited(inherited: readonly number[], output: number): readonly ('ignore' | number)[] {
  const files: ('ignore' | number)[] = ['ignore', output, output]
  // Beyond the first three, "ignore" is the one word for: leave it as it is. Unmarked files are covered, all others close by themselves.
  for (let fd = 3; fd <= Math.max(2, ...inherited); fd += 1) files.push(inherited.includes(fd) ? output : 'ignore')
  return files
}

function isHandedOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    // The directory that was just listed is gone itself.
    return false
  }
}
