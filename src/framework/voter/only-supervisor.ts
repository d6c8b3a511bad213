import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { realFiles } from '../ports/real-files.ts'
import { voterPaths } from './voter-paths.ts'

/**
 * Makes this process the only supervisor below the root, by a lock that the kernel gives back when it ends, in whatever way. Returns what gives the lock
 * back; undefined when another process has it.
 */
export function becomeOnlySupervisor(root: string): (() => void) | undefined {
  const { lock: path } = voterPaths(root)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const lock = realFiles.open('voterd:lock', path, 'create')
  if (realFiles.tryLock('voterd:lock', lock)) return () => realFiles.close('voterd:lock', lock)
  realFiles.close('voterd:lock', lock)
  return undefined
}

/** Tells whether a supervisor runs below the root. */
export function isSupervised(root: string): boolean {
  const giveBack = becomeOnlySupervisor(root)
  giveBack?.()
  return giveBack === undefined
}
