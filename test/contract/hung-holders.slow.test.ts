import { mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createListenerLook } from '../../src/framework/drivers/address/listeners.ts'
import { createHolderLook } from '../../src/framework/drivers/find-holders.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { createProcSearch, searchProcByGrep } from '../../src/framework/ports/real-proc-search.ts'
import { eventually } from '../eventually.ts'
import { exportGroup, importGroup, leftovers } from './disk-group-driver.contract.ts'
import { type FileSystemRig, FileSystemRigs } from './disk-group-driver-filesystem.ts'
import { holderProgram, listenerProgram } from './driver-rig/holder-programs.ts'
import { type HungProcess, missingForHung, startHung } from './driver-rig/hung-process.ts'

const skip = await missingForHung()

/** None of these waits for the disk: while the tests run it does not answer. */
describe.skipIf(skip !== undefined)(`a process that hangs on a dead disk${skip ?? ''}`, () => {
  const rigs = new FileSystemRigs({ type: 'ext4', on: 'image' })
  let rig: FileSystemRig
  let directory: string
  let hung: HungProcess | undefined
  beforeAll(() => rigs.start())
  afterAll(() => rigs.stop())
  beforeEach(async () => {
    rig = await rigs.make()
    directory = await mkdtemp(`${rig.image}-`)
  })
  afterEach(async () => {
    hung?.thaw()
    hung = undefined
    await rig.close()
  })

  it('does not keep others from being found and ended', async () => {
    const { h1 } = rig
    await importGroup(rig, h1)
    hung = await startHung(rig.namespaces.h1, { directory, where: '/' })
    const holder = await h1.launch(holderProgram('an open file, and ignores TERM', h1.path))
    const mapped = await h1.launch(holderProgram('a mapped file', h1.path))
    await exportGroup(rig, h1)
    expect(holder.signalCode).toBe('SIGKILL')
    expect(mapped.signalCode).not.toBeNull()
    expect(await leftovers(rig, h1)).toEqual([])
    expect(hung.process.signalCode).toBeNull()
  })

  it('is found by what it has open, and ended', async () => {
    const { h1 } = rig
    await importGroup(rig, h1)
    hung = await startHung(rig.namespaces.h1, { directory, where: h1.path })
    const running = exportGroup(rig, h1).then(
      () => 'gone',
      (error: unknown) => error,
    )
    // KILL ends it, at once or when the disk answers; until then it is named.
    const ended = await running
    if (ended !== 'gone') {
      expect(ended).toMatchObject({ code: 'DISK_GROUP_BUSY' })
      hung.thaw()
      await exportGroup(rig, h1)
    }
    expect(await leftovers(rig, h1)).toEqual([])
  })

  it.each([
    ['in this process', () => createProcSearch(createRealEffects())],
    ['by grep', () => searchProcByGrep],
  ] as const)('is told of by a search that finds all others, %s', async (_, create) => {
    hung = await startHung(rig.namespaces.h1, { directory, where: '/', environment: { VARIABLE: `hung ${directory}` } })
    const other = await rig.namespaces.h1.launch(holderProgram('its working directory', '/'), {
      VARIABLE: `other ${directory}`,
    })
    const pids = [hung.process.pid ?? 0, other.pid ?? 0]
    const search = create()
    const told: number[] = []
    const found = await search({ file: 'environ', pids, texts: [directory], onHung: (each) => void told.push(...each) })
    expect([...found.keys()]).toEqual([other.pid])
    expect(told).toEqual([hung.process.pid])
    // Newer kernels show memory maps all the same.
    const maps = await search({ file: 'maps', pids, texts: ['/perl'], onHung: () => undefined })
    expect([...maps.keys()]).toContain(other.pid)
    await expect(search({ file: 'environ', pids, texts: [directory] })).rejects.toThrow(
      `${hung.process.pid} cannot be read`,
    )
  })

  it('is a holder when it has something open, whosever it is', async () => {
    const place = join(directory, 'place')
    await mkdir(place)
    hung = await startHung(rig.namespaces.h1, { directory, where: place })
    const { pid } = hung.process
    const look = createHolderLook()
    const { signal } = new AbortController()
    const here = await look({ directories: [place], devices: new Set() }, signal)
    expect(here.holders).toMatchObject([{ pid, tag: undefined, uses: [`cwd ${place}`] }])
  })

  it('does not keep those that listen from being found', async () => {
    hung = await startHung(rig.namespaces.h1, { directory, where: '/' })
    const listener = await rig.namespaces.h1.launch(
      ['nsenter', '-t', String(process.pid), '-n', ...listenerProgram('127.77.0.9')],
      {
        HAVEN_SCOPE: 'of/the/test',
      },
    )
    const look = createListenerLook()
    const found = await eventually('the listener', 10_000, async () => {
      const seen = await look(Buffer.from([127, 77, 0, 9]))
      return seen.length > 0 ? seen : undefined
    })
    expect(found).toMatchObject([{ pid: listener.pid, tag: 'of/the/test', port: 8080 }])
  })
})
