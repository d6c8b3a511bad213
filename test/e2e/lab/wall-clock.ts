import { closeSync, openSync, writeSync } from 'node:fs'

/** Where `programs/clock-shift.c` reads how far off the wall clock of a host is. */
export const CLOCK_FILE = '/run/haven-lab-clock'

/** Sets the wall clock of a host so many seconds off that of the machine, for all of its programs that are linked to libc. */
export function setClock(pid: number, seconds: number): void {
  const value = Buffer.alloc(8)
  value.writeBigInt64LE(BigInt(seconds))
  // Written in place: it is mapped by every program of the host.
  const file = openSync(`/proc/${pid}/root${CLOCK_FILE}`, 'r+')
  try {
    writeSync(file, value)
  } finally {
    closeSync(file)
  }
}
