import { describe, expect, it } from 'vitest'
import type { ProcSearch } from '../../../src/framework/ports/proc-search.ts'
import { judgeHung, readTicks } from '../../../src/methods/hung-tags.ts'
import { readProcess } from '../../../src/methods/proc.ts'
import { createTagLook } from '../../../src/methods/tagged-processes.ts'

// This process stands for one that hangs: it is there, and what a search says of it is up to the test.
const { pid } = process
const startTicks = readProcess(pid)?.startTicks ?? 0
const never = (): boolean => false
const always = (): boolean => true

describe('a process whose tag cannot be read', () => {
  const seen = (tag: string | undefined, atTicks: number) => ({ atTicks, verdicts: new Map([[pid, tag]]) })

  it('is what an earlier look has found, if it is the same process', () => {
    expect(judgeHung('c:h', [pid], seen('c:h/ha1/web', startTicks + 1), never)).toEqual(new Map([[pid, 'c:h/ha1/web']]))
    expect(judgeHung('c:h', [pid], seen(undefined, startTicks + 1_000), never)).toEqual(new Map([[pid, undefined]]))
    expect(() => judgeHung('c:h', [pid], seen('c:h/ha1/web', startTicks), never)).toThrow('nothing tells')
  })

  it('may have been about to become a method when it was found without a tag soon after its start', () => {
    expect(() => judgeHung('c:h', [pid], seen(undefined, startTicks + 10), never)).toThrow('nothing tells')
  })

  it('is not of this host where all methods have cgroups, and may be where none has', () => {
    expect(judgeHung('c:h', [pid], undefined, always)).toEqual(new Map())
    expect(() => judgeHung('c:h', [pid], undefined, never)).toThrow(
      expect.objectContaining({ code: 'METHOD_FAILED', details: [expect.stringContaining(`process ${pid} (`)] }),
    )
  })

  it('is no matter when it has ended', () => {
    expect(judgeHung('c:h', [2 ** 22 + 1], undefined, never)).toEqual(new Map())
  })
})

describe('a look for tags', () => {
  /** Finds a tag of this process in the first look; in all others it hangs. */
  const hangsAfterFirst = (tag: string): ProcSearch => {
    let looks = 0
    return async ({ onHung }) => {
      looks += 1
      if (looks === 1) return new Map([[pid, [`HAVEN_SCOPE=${tag}`]]])
      onHung?.([pid])
      return new Map()
    }
  }

  it('remembers what hangs, over many looks, and a failed one', async () => {
    const search = hangsAfterFirst('c:h/ha1/web')
    let fails = false
    const look = createTagLook(
      'c:h',
      async (question) => {
        if (fails) throw new Error('no grep')
        return search(question)
      },
      never,
    )
    for (let time = 0; time < 3; time += 1) expect(await look()).toEqual(new Map([[pid, 'c:h/ha1/web']]))
    fails = true
    await expect(look()).rejects.toMatchObject({ code: 'METHOD_FAILED' })
    fails = false
    expect(await look()).toEqual(new Map([[pid, 'c:h/ha1/web']]))
  })

  it('fails when a process hangs of which nothing is known', async () => {
    const look = createTagLook(
      'c:h',
      async ({ onHung }) => {
        onHung?.([pid])
        return new Map()
      },
      never,
    )
    await expect(look()).rejects.toThrow('nothing tells whether they are of a method')
  })

  it('counts time as the start times of processes do', () => {
    expect(readTicks()).toBeGreaterThan(startTicks)
  })
})
