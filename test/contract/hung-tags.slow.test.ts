import { rmdirSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HaError } from '../../src/framework/errors/ha-error.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { ProcSearch } from '../../src/framework/ports/proc-search.ts'
import { searchProcByGrep } from '../../src/framework/ports/real-proc-search.ts'
import { cgroupMembers, findCgroupHome, killCgroups, makeCgroup, removeCgroups } from '../../src/methods/cgroup.ts'
import { readTicks } from '../../src/methods/hung-tags.ts'
import { readProcess } from '../../src/methods/proc.ts'
import { findProcesses } from '../../src/methods/processes.ts'
import { createTagLook } from '../../src/methods/tagged-processes.ts'
import { eventually } from '../eventually.ts'
import { holderProgram } from './driver-rig/holder-programs.ts'
import { type HungProcess, missingForHung, startHung } from './driver-rig/hung-process.ts'
import { NamespaceHost, Workshop } from './driver-rig/namespace-host.ts'

const skip = await missingForHung()
const hostKey = `test-${process.pid}:hung`
const cgroupHome = findCgroupHome(hostKey)
const scope = { logicalHost: parseName('logicalHost', 'ha1'), service: parseName('dataService', 'web') }
const tag = `${hostKey}/ha1/web`
const never = (): boolean => false
const always = (): boolean => true

describe.skipIf(skip !== undefined)(`the tag of a process that hangs${skip ?? ''}`, () => {
  const workshop = new Workshop()
  let host: NamespaceHost
  let directory: string
  let hung: HungProcess | undefined
  beforeEach(async () => {
    directory = await mkdtemp(join(workshop.directory, 'hung-'))
    const settings = { cluster: 'test', physicalHost: 'h1', root: directory, scope: hostKey }
    host = await NamespaceHost.start(workshop, { ...settings, termGraceMs: 100, announceAgainAfterMs: [] })
  })
  afterEach(async () => {
    hung?.thaw()
    hung = undefined
    await host.powerOff()
  })
  afterAll(() => workshop.close())

  it('does not keep those of others from being found, whose it ever is', async () => {
    hung = await startHung(host, { directory, where: '/' })
    const ours = await host.launch(holderProgram('its working directory', '/'), { HAVEN_SCOPE: tag })
    const look = createTagLook(hostKey, searchProcByGrep, always)
    expect(await look()).toEqual(new Map([[ours.pid, tag]]))
  })

  it('is known from a look before it hung', async () => {
    // Only these: without cgroups whatever else hangs on this machine would count.
    const pids: number[] = []
    const search: ProcSearch = (question) => searchProcByGrep({ ...question, pids })
    const look = createTagLook(hostKey, search, never)
    const tags = new Map<number, string>()
    hung = await startHung(host, {
      directory,
      where: '/',
      environment: { HAVEN_SCOPE: tag },
      beforeItHangs: async (pid) => {
        pids.push(pid)
        tags.set(pid, tag)
        const startTicks = readProcess(pid)?.startTicks ?? 0
        await eventually('the next tick', 5_000, () => readTicks() > startTicks || undefined)
        expect(await look()).toEqual(tags)
      },
    })
    const { pid } = hung.process
    expect(await look()).toEqual(tags)
    expect(await findProcesses({ hostKey, cgroupHome: undefined, lookForTags: look }, scope)).toMatchObject([{ pid }])
    // One that has never read it knows nothing, and does not say otherwise.
    await expect(createTagLook(hostKey, search, never)()).rejects.toMatchObject({ code: 'METHOD_FAILED' })
  })

  it.skipIf(cgroupHome === undefined)('is known by its cgroup, also below that of its service', async () => {
    hung = await startHung(host, { directory, where: '/' })
    const { pid = 0 } = hung.process
    const cgroup = await makeCgroup(cgroupHome ?? '', scope)
    const below = await makeCgroup(cgroup ?? '', scope)
    try {
      writeFileSync(join(below ?? '', 'cgroup.procs'), String(pid))
      const tags = await createTagLook(hostKey, searchProcByGrep, never)().catch((error: unknown) => error)
      // Somebody else's may hang as well, of which nothing is known.
      if (tags instanceof Map) expect(tags).toEqual(new Map([[pid, tag]]))
      else expect((tags as HaError).details.join()).not.toContain(`process ${pid} `)
      expect(await createTagLook(hostKey)()).toEqual(new Map([[pid, tag]]))
    } finally {
      killCgroups(cgroupHome ?? '', scope, new Set())
      hung.thaw()
      await eventually('it to end', 10_000, () => cgroupMembers(cgroupHome ?? '', scope).length === 0 || undefined)
      rmdirSync(below ?? '')
      removeCgroups(cgroupHome ?? '', scope)
    }
  })
})
