import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHolderLook, holderDetails } from '../../../src/framework/drivers/find-holders.ts'
import { shareLook } from '../../../src/framework/drivers/share-look.ts'
import type { ProcSearch } from '../../../src/framework/ports/proc-search.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { createProcSearch, searchProcByGrep } from '../../../src/framework/ports/real-proc-search.ts'
import { eventually } from '../../eventually.ts'

const searches: readonly (readonly [string, () => ProcSearch])[] = [
  ['in this process', () => createProcSearch(createRealEffects())],
  ['by grep', () => searchProcByGrep],
]

/** A process that waits, with a variable of its own and a directory to be in. */
function sleeper(directory: string, variable: string): ChildProcess {
  return spawn('/bin/sleep', ['60'], { cwd: directory, env: { VARIABLE: variable }, stdio: 'ignore' })
}

describe('looks at processes', () => {
  let directory: string
  let children: ChildProcess[] = []
  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'haven-looks-')))
  })
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    children = []
    rmSync(directory, { recursive: true, force: true })
  })
  const start = (variable: string): number => {
    const child = sleeper(directory, variable)
    children.push(child)
    return child.pid ?? 0
  }

  it.each(searches)('find an entry of one process, and nothing in the others, %s', async (_, create) => {
    const search = create()
    const [one, other] = [start(`one of ${directory}`), start('other')]
    const found = await eventually('the process to have become what it runs', 5_000, async () => {
      const seen = await search({ file: 'environ', pids: [one, other, 2 ** 22], texts: [directory] })
      return seen.size > 0 ? seen : undefined
    })
    expect(found.get(one)).toContain(`VARIABLE=one of ${directory}`)
    expect([...found.keys()]).toEqual([one])
    const maps = await search({ file: 'maps', pids: [one], texts: ['/sleep'] })
    expect(maps.get(one)?.every((line) => line.endsWith('/sleep'))).toBe(true)
    expect(await search({ file: 'maps', pids: [one], texts: ['/nowhere'] })).toEqual(new Map())
    expect(await search({ file: 'maps', pids: [one], texts: [] })).toEqual(new Map())
  })

  it('read for several who ask at once', async () => {
    const search = createProcSearch(createRealEffects())
    const pids = ['a', 'b', 'c'].map((each) => start(`${each} of ${directory}`))
    await eventually('all to have become what they run', 5_000, async () => {
      const asked = pids.map((pid) => search({ file: 'environ', pids: [pid], texts: [directory] }))
      const found = (await Promise.all(asked)).flatMap((each) => [...each.keys()])
      return found.length === pids.length && found.every((pid, index) => pid === pids[index]) ? true : undefined
    })
  })

  it('tell each who asks at once its own holders, and nobody those of another', async () => {
    const other = realpathSync(mkdtempSync(join(tmpdir(), 'haven-looks-')))
    const look = createHolderLook()
    const holder = start('holder')
    const { signal } = new AbortController()
    const ask = async (where: string, among?: ReadonlySet<number>) =>
      (await look({ directories: [where], devices: new Set(), ...(among === undefined ? {} : { among }) }, signal))
        .holders
    await eventually('the holder to be found', 5_000, async () =>
      (await ask(directory)).length > 0 ? true : undefined,
    )
    const [mine, none, amongNone, amongIt] = await Promise.all([
      ask(directory),
      ask(other),
      ask(directory, new Set()),
      ask(directory, new Set([holder])),
    ])
    expect(mine.map(({ pid, uses }) => [pid, uses])).toEqual([[holder, [`cwd ${directory}`]]])
    expect(amongIt).toEqual(mine)
    expect([none, amongNone]).toEqual([[], []])
    rmSync(other, { recursive: true })
  })

  it('reject for who has given up, and answer the others', async () => {
    const look = createHolderLook()
    const givenUp = new AbortController()
    const asked = look({ directories: [directory], devices: new Set() }, givenUp.signal)
    const other = look({ directories: [directory], devices: new Set() }, new AbortController().signal)
    givenUp.abort(new Error('given up'))
    await expect(asked).rejects.toThrow('given up')
    expect((await other).holders).toEqual([])
  })

  it('name those that hang, which may be holders', async () => {
    const [one, other] = [start('one'), start('other')]
    const search: ProcSearch = async ({ onHung, pids }) => {
      onHung?.(pids.filter((pid) => pid === one || pid === other))
      return new Map()
    }
    const look = createHolderLook(search)
    const ask = (among: readonly number[]) =>
      look({ directories: ['/nowhere'], devices: new Set(), among: new Set(among) }, new AbortController().signal)
    const found = await eventually('both to run', 5_000, async () => {
      const seen = await ask([one, other])
      return seen.hung.length === 2 ? seen : undefined
    })
    expect(found.holders).toEqual([])
    expect(holderDetails(found)).toEqual([
      expect.stringMatching(new RegExp(`^process ${one} \\(.*\\) hangs in the kernel`)),
      expect.stringMatching(new RegExp(`^process ${other} \\(.*\\) hangs in the kernel`)),
    ])
    expect((await ask([one])).hung.map(({ pid }) => pid)).toEqual([one])
  })

  it('reject when they cannot look, and look again for the next', async () => {
    let isBroken = true
    const search: ProcSearch = async (question) => {
      if (isBroken) throw new Error('no grep')
      return await searchProcByGrep(question)
    }
    const look = createHolderLook(search)
    const ask = () => look({ directories: [directory], devices: new Set() }, new AbortController().signal)
    await expect(ask()).rejects.toMatchObject({ code: 'DISK_GROUP_BUSY' })
    isBroken = false
    expect((await ask()).holders).toEqual([])
  })
})

describe('a shared look', () => {
  it('serves all who ask before it begins, and nobody with what was seen before he asked', async () => {
    let begun = 0
    const look = shareLook(async () => {
      begun += 1
      return begun
    })
    const [first, second] = [look(), look()]
    expect(await Promise.all([first, second])).toEqual([1, 1])
    expect(await look()).toBe(2)
  })

  it('looks again after a failure', async () => {
    let begun = 0
    const look = shareLook(async () => {
      begun += 1
      if (begun === 1) throw new Error('failed')
      return begun
    })
    await expect(look()).rejects.toThrow('failed')
    expect(await look()).toBe(2)
  })
})
