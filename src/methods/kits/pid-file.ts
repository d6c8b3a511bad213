import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readProcess } from '../proc.ts'

/**
 * Reads which process a pid file stands for; undefined when none of them lives: no file, an empty one, a process that has ended, or another one that
 * got its pid. In a file that Haven's kits wrote, start time and boot stand behind the pid: such a file may lie on a disk group and move to another
 * host, where the pid means nothing. Of a file with a pid only (as most servers write) the pid is believed.
 */
export function readPidFile(path: string): number | undefined {
  const [pid, startTicks, boot] = readOrEmpty(path).split(/\s+/)
  if (pid === undefined || !/^[1-9]\d{0,9}$/.test(pid)) return undefined
  const found = readProcess(Number(pid))
  if (found === undefined) return undefined
  const isThatOne =
    startTicks === undefined || startTicks === '' || (Number(startTicks) === found.startTicks && boot === bootId())
  return isThatOne ? found.pid : undefined
}

/** Writes the pid file of a living process, whole or not at all. Throws what the file system says. */
export function writePidFile(path: string, pid: number): void {
  const temporary = `${path}.new`
  writeFileSync(temporary, `${pid} ${readProcess(pid)?.startTicks ?? 0} ${bootId()}\n`)
  renameSync(temporary, path)
}

/** Removes a pid file; none there is fine. */
export function removePidFile(path: string): void {
  rmSync(path, { force: true })
}

function bootId(): string {
  return readOrEmpty('/proc/sys/kernel/random/boot_id').trim()
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
