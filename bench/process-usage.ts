import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of processor time that the threads of a process have used; its children are not counted. */
export function processorMs(pid: number): number {
  // In nanoseconds, other than `stat`, whose ticks of 10 ms miss or overrate what wakes up for a moment.
  const each = readdirSync(`/proc/${pid}/task`).map((task) => {
    return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]) / 1e6
  })
  return each.reduce((sum, one) => sum + one, 0)
}

/** Memory of a process in megabytes (of 10^6 bytes): all that is resident, and with what it shares divided among the sharers. */
export function memoryMb(pid: number): { readonly residentMb: number; readonly proportionalMb: number } {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  return { residentMb: fieldMb(rollup, 'Rss'), proportionalMb: fieldMb(rollup, 'Pss') }
}

function fieldMb(rollup: string, field: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]
  return (Number(kibibytes) * 1024) / 1e6
}

/** Finds the process whose command line holds all of the words. */
export function findProcess(words: readonly string[]): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const line = commandLine(name)
    if (words.every((word) => line.includes(word))) return Number(name)
  }
  throw new Error(`no process has ${words.join(' and ')} in its command line`)
}

/** Ends what a run has started in its workshop and not ended: detached daemons outlive whoever starts them, also when the run is cut short. */
export function killAllOf(workshop: string): void {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    if (!commandLine(name).some((word) => word.startsWith(workshop))) continue
    try {
      process.kill(Number(name), 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return [] // It has just ended.
  }
}
