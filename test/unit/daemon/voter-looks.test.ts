import { expect, it } from 'vitest'
import { createVoterLooks } from '../../../src/framework/daemon/voter-looks.ts'

/** Turns of a second each in which a look was due; `found`: what it found. */
function turns() {
  let nowMs = 0
  const looks = createVoterLooks({ nowMonotonicMs: () => nowMs })
  return (count: number, machines: readonly string[], found: readonly string[]): number => {
    let due = 0
    for (let turn = 0; turn < count; turn += 1) {
      nowMs += 1_000
      if (!looks.areDue(machines)) continue
      due += 1
      looks.saw(found)
    }
    return due
  }
}

it('looks at voters that are all known every ten seconds', () => {
  expect(turns()(31, ['alpha'], ['alpha'])).toBe(4)
})

it('looks at every turn for whoever was let in, until he votes', () => {
  const pass = turns()
  pass(1, ['alpha'], ['alpha'])
  expect(pass(5, ['alpha', 'beta'], ['alpha'])).toBe(5)
  expect(pass(1, ['alpha', 'beta'], ['alpha', 'beta'])).toBe(1)
  expect(pass(9, ['alpha', 'beta'], ['alpha', 'beta'])).toBe(0)
})

it('takes who does not vote after a minute for one that does not', () => {
  const pass = turns()
  expect(pass(60, ['alpha', 'beta'], ['alpha'])).toBe(60)
  expect(pass(20, ['alpha', 'beta'], ['alpha'])).toBe(2)
  // Who was taken out and let in again is awaited again.
  pass(1, ['alpha'], ['alpha'])
  expect(pass(5, ['alpha', 'beta'], ['alpha'])).toBe(5)
})
