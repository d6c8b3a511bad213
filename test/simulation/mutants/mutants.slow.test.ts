import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hunt } from './find-mutant.ts'

// Within how many histories a referee must object to each planted bug. A bug that is no longer found means that the simulation has become blind.
const SEEDS_MAX: Readonly<Record<string, number>> = {
  'deadline-not-checked': 100,
  'expiry-after-guard-alone': 60,
  'fence-beyond-the-share': 20,
  'fence-not-confirmed': 20,
  'fence-of-a-host-that-stamps': 150,
  'force-without-expiry': 20,
  'generation-not-checked': 250,
  'guard-never-fires': 20,
  'newcomers-inherit': 300,
  'no-barrier': 20,
  'no-wait-after-joining': 500,
  'promise-not-kept': 200,
  'promise-too-short': 300,
  'promises-of-a-majority': 100,
  'release-without-proof': 150,
  'stop-skipped': 40,
  'strays-go-on': 600,
}

describe('a planted bug is found', () => {
  const patches = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.patch'))

  it.each(patches.map((file) => file.replace('.patch', '')))('%s', async (patch) => {
    const seedsMax = SEEDS_MAX[patch] ?? 0
    const { bug, seed } = await hunt(patch, seedsMax)
    expect(seed, `${bug} Not found in ${seedsMax} histories.`).toBeDefined()
  })

  it('and each has its number', () => {
    expect(Object.keys(SEEDS_MAX).toSorted()).toEqual(patches.map((file) => file.replace('.patch', '')).toSorted())
  })
})
