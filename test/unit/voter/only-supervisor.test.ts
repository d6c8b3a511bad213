import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  becomeOnlySupervisor,
  becomeOnlySupervisorSoon,
  isSupervised,
} from '../../../src/framework/voter/only-supervisor.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'haven-only-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Effects whose time passes only by waiting; `then` is done after each wait. */
function waiting(then: () => void) {
  let nowMs = 0
  return {
    nowMonotonicMs: () => nowMs,
    sleep: async (ms: number): Promise<void> => {
      nowMs += ms
      then()
    },
  }
}

it('waits for somebody who has the lock for a moment only', async () => {
  const other = becomeOnlySupervisor(root)
  const giveBack = await becomeOnlySupervisorSoon(
    root,
    waiting(() => other?.()),
  )
  expect(isSupervised(root)).toBe(true)
  giveBack?.()
  expect(isSupervised(root)).toBe(false)
})

it('takes one that keeps it for another supervisor', async () => {
  const other = becomeOnlySupervisor(root)
  expect(
    await becomeOnlySupervisorSoon(
      root,
      waiting(() => undefined),
    ),
  ).toBeUndefined()
  other?.()
})
