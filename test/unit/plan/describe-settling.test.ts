import { describe, expect, it } from 'vitest'
import { describeSettling, needsSettling } from '../../../src/framework/plan/planner.ts'
import { alpha, demo, withMastery } from '../configure/fixture.ts'

const facts = { nowWallMs: 0 }

describe('what is to be settled', () => {
  it('is said by name', () => {
    const unmastered = withMastery({ kind: 'unmastered', why: 'new', uncleanOn: [] })
    expect(describeSettling(unmastered, facts)).toBe('ha1 has no master')
    const gone = { ...withMastery({ kind: 'takingOn', by: alpha, uncleanOn: [] }), members: new Map() }
    expect(describeSettling(gone, facts)).toContain('ha1 has no master, because alpha is no longer a member')
  })

  it('is nothing when all is where it should be, or wanted so', () => {
    const kept = withMastery({ kind: 'unmastered', why: 'maintenance', uncleanOn: [] })
    for (const state of [demo, kept]) {
      expect(needsSettling(state, facts)).toBe(false)
      expect(describeSettling(state, facts)).toBe('')
    }
  })
})
