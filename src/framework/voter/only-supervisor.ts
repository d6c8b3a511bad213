import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Effects } from '../ports/effects.ts'
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

/** Somebody who only looks whether one runs has the lock for a moment, and so has one whose last thread is ending. */
const ANOTHER_FOR_MS = 500
const TRY_EVERY_MS = 50

/** The same for one that starts: it tries for a while before it takes another one for running. */
export async function becomeOnlySupervisorSoon(
  root: string,
  effects: Pick<Effects, 'sleep' | 'nowMonotonicMs'>,
): Promise<(() => void) | undefined> {
  const untilMs = effects.nowMonotonicMs() + ANOTHER_FOR_MS
  for (;;) {
    const giveBack = becomeOnlySupervisor(root)
    if (giveBack !== undefined || effects.nowMonotonicMs() > untilMs) return giveBack
    await effects.sleep(TRY_EVERY_MS)
  }
}

/** Tells whether a supervisor runs below the root. */
export function isSupervised(root: string): boolean {
  const giveBack = becomeOnlySupervisor(root)
  giveBack?.()
  return giveBack === undefined
}
