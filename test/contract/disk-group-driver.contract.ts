import type { ChildProcess } from 'node:child_process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isHaError } from '../../src/framework/errors/ha-error.ts'
import type { DiskGroup } from '../../src/framework/model/cluster-config.ts'
import type { DiskGroupDriver } from '../../src/framework/ports/disk-group-driver.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { eventually } from '../eventually.ts'
import { codeOf } from './driver-rig/expected-failure.ts'
import { HOLDER_KINDS, holderProgram } from './driver-rig/holder-programs.ts'

/** One physical host as the contract needs it. */
export interface DiskGroupHost {
  readonly name: 'h1' | 'h2'
  readonly driver: DiskGroupDriver
  /** Where the disk group appears on this host, with `HAVEN_ROOT`. */
  readonly path: string
  /** Runs a shell command on the host. */
  shell(text: string): Promise<string>
  /** Starts a program with the tag of this host (or none), and waits for its first output. */
  launch(words: readonly string[], options?: { readonly untagged: true }): Promise<ChildProcess>
}

/** What an implementation brings, fresh for every test. */
export interface DiskGroupRig {
  readonly group: DiskGroup
  readonly mountPoint: string
  readonly h1: DiskGroupHost
  readonly h2: DiskGroupHost
  /** The disk group's storage is gone. */
  remove(): Promise<void>
  close(): Promise<void>
}

/** Runs the promises of `ports/disk-group-driver.ts` on an implementation. */
export function describeDiskGroupDriver(
  name: string,
  made: {
    readonly skip?: string | undefined
    readonly start: () => Promise<void>
    readonly rig: () => Promise<DiskGroupRig>
    readonly stop: () => Promise<void>
  },
): void {
  const title = made.skip === undefined ? name : `${name} (skipped: ${made.skip})`
  describe.skipIf(made.skip !== undefined)(`disk group driver: ${title}`, () => {
    let rig: DiskGroupRig
    beforeAll(made.start)
    afterAll(made.stop)
    beforeEach(async () => {
      rig = await made.rig()
    })
    afterEach(() => rig.close())
    promisesOfImportAndExport(() => rig)
    promisesOfOwnership(() => rig)
    promisesWhenCut(() => rig)
    promisesAboutHolders(() => rig)
    promisesAboutTrouble(() => rig)
  })
}

function promisesOfImportAndExport(rig: () => DiskGroupRig): void {
  it('imports and exports, and says truly what is there', async () => {
    const { h1 } = rig()
    expect(await status(rig(), h1)).toEqual({ kind: 'absent', owner: undefined })
    expect(await leftovers(rig(), h1)).toEqual([])
    await importGroup(rig(), h1)
    expect(await status(rig(), h1)).toEqual({ kind: 'imported' })
    expect((await leftovers(rig(), h1)).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['mount', 'disk-group']),
    )
    await h1.shell(`echo kept > ${h1.path}/data`)
    await exportGroup(rig(), h1)
    expect(await status(rig(), h1)).toEqual({ kind: 'absent', owner: undefined })
    expect(await leftovers(rig(), h1)).toEqual([])
    expect(await h1.shell(`cat ${h1.path}/data 2>&1 || true`)).toMatch(/No such file/)
  })

  it('carries the data from host to host', async () => {
    const { h1, h2 } = rig()
    await importGroup(rig(), h1)
    await h1.shell(`echo written on h1 > ${h1.path}/data`)
    await exportGroup(rig(), h1)
    await importGroup(rig(), h2)
    expect(await h2.shell(`cat ${h2.path}/data`)).toBe('written on h1\n')
  })

  it('does twice what it did once', async () => {
    const { h1 } = rig()
    await importGroup(rig(), h1)
    await importGroup(rig(), h1)
    await importGroup(rig(), h1, true)
    expect(await status(rig(), h1)).toEqual({ kind: 'imported' })
    await exportGroup(rig(), h1)
    await exportGroup(rig(), h1)
    expect(await leftovers(rig(), h1)).toEqual([])
  })
}

function promisesOfOwnership(rig: () => DiskGroupRig): void {
  it('refuses what another host owns, naming it', async () => {
    const { h1, h2 } = rig()
    await importGroup(rig(), h1)
    expect(await codeOf(importGroup(rig(), h2))).toBe('DISK_GROUP_HELD')
    expect(await status(rig(), h1)).toEqual({ kind: 'imported' })
    expect(await leftovers(rig(), h2)).toEqual([])
  })

  it('leaves the mark of another host alone', async () => {
    const { h1, h2 } = rig()
    await importGroup(rig(), h1)
    await exportGroup(rig(), h2)
    expect(await status(rig(), h1)).toEqual({ kind: 'imported' })
    expect(await codeOf(importGroup(rig(), h2))).toBe('DISK_GROUP_HELD')
  })

  it('lets at most one of two racing hosts win', async () => {
    const { h1, h2 } = rig()
    for (let round = 0; round < 5; round += 1) {
      const outcomes = await Promise.allSettled([h1, h2].map((host) => importGroup(rig(), host)))
      const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
      expect(refusals.length).toBeGreaterThanOrEqual(1)
      // With its details, should it be another one.
      for (const refusal of refusals) if (!isHaError(refusal, 'DISK_GROUP_HELD')) throw refusal
      const states = await Promise.all([h1, h2].map((host) => status(rig(), host)))
      expect(states.filter(({ kind }) => kind === 'imported').length).toBeLessThanOrEqual(1)
      await exportGroup(rig(), h1)
      await exportGroup(rig(), h2)
    }
  })
}

/** Moments at which a call is cut, ms after it began: closer together than anything that drivers do takes. */
const CUTS_MS = Array.from({ length: 24 }, (_, index) => index * 1.5)

function promisesWhenCut(rig: () => DiskGroupRig): void {
  it('can be cut at any moment of an import', async () => {
    const { h1 } = rig()
    for (const afterMs of CUTS_MS) {
      await cut(afterMs, (signal) =>
        h1.driver.import(rig().group, { mountPoint: rig().mountPoint, force: false, signal }),
      )
      expect(['absent', 'partly', 'imported']).toContain((await status(rig(), h1)).kind)
      if (afterMs % 2 === 0) await importGroup(rig(), h1)
      await exportGroup(rig(), h1)
      expect(await leftovers(rig(), h1), `cut after ${afterMs} ms`).toEqual([])
    }
  })

  it('can be cut at any moment of an export', async () => {
    const { h1 } = rig()
    for (const afterMs of CUTS_MS) {
      await importGroup(rig(), h1)
      await cut(afterMs, (signal) => h1.driver.export(rig().group, { mountPoint: rig().mountPoint, signal }))
      if (afterMs % 2 === 0) {
        await importGroup(rig(), h1)
        expect(await status(rig(), h1), `cut after ${afterMs} ms`).toEqual({ kind: 'imported' })
      }
      await exportGroup(rig(), h1)
      expect(await leftovers(rig(), h1), `cut after ${afterMs} ms`).toEqual([])
    }
  })

  it('refuses to begin when the time is up already', async () => {
    const { h1, group, mountPoint } = rig()
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(h1.driver.import(group, { mountPoint, force: false, signal })).rejects.toThrow(/too late|cut off/)
    expect(await status(rig(), h1)).toEqual({ kind: 'absent', owner: undefined })
  })
}

function promisesAboutHolders(rig: () => DiskGroupRig): void {
  it.each(HOLDER_KINDS)('ends a process that has %s', async (kind) => {
    const { h1 } = rig()
    await importGroup(rig(), h1)
    const holder = await h1.launch(holderProgram(kind, h1.path))
    expect(await leftovers(rig(), h1)).not.toEqual([])
    await exportGroup(rig(), h1)
    expect(await leftovers(rig(), h1)).toEqual([])
    await eventually('the holder to be ended', 5_000, () => holder.signalCode ?? undefined)
  })

  it('ends a writer that has lost its tag', async () => {
    const { h1 } = rig()
    await importGroup(rig(), h1)
    const holder = await h1.launch(holderProgram('an open file', h1.path), { untagged: true })
    await exportGroup(rig(), h1)
    await eventually('the holder to be ended', 5_000, () => holder.signalCode ?? undefined)
  })

  it('does not touch a process elsewhere', async () => {
    const { h1 } = rig()
    await importGroup(rig(), h1)
    const bystander = await h1.launch(['perl', '-e', '$| = 1; print "ready\\n"; sleep 1 while 1'])
    await exportGroup(rig(), h1)
    expect(bystander.signalCode).toBeNull()
    expect(bystander.exitCode).toBeNull()
  })
}

function promisesAboutTrouble(rig: () => DiskGroupRig): void {
  it('says what is missing', async () => {
    const { h1 } = rig()
    await rig().remove()
    expect(await codeOf(importGroup(rig(), h1))).toBe('DISK_GROUP_UNUSABLE')
    expect((await status(rig(), h1)).kind).toBe('unusable')
    await exportGroup(rig(), h1)
    expect(await leftovers(rig(), h1)).toEqual([])
  })

  it('still clears what has gone missing while it was in use', async () => {
    const { h1 } = rig()
    await importGroup(rig(), h1)
    await rig().remove()
    expect((await leftovers(rig(), h1)).map(({ kind }) => kind)).toContain('mount')
    expect((await status(rig(), h1)).kind).toBe('unusable')
    await exportGroup(rig(), h1)
    expect(await leftovers(rig(), h1)).toEqual([])
  })

  it('refuses to cover something else at the mount point', async () => {
    const { h1 } = rig()
    await h1.shell(`mkdir -p ${h1.path} && rmdir ${h1.path} && echo important > ${h1.path}`)
    expect(await codeOf(importGroup(rig(), h1))).toBe('DISK_GROUP_UNUSABLE')
    expect(await h1.shell(`cat ${h1.path}`)).toBe('important\n')
    await h1.shell(`rm ${h1.path}`)
    await importGroup(rig(), h1)
    expect(await status(rig(), h1)).toEqual({ kind: 'imported' })
  })

  it('uses an empty directory as mount point', async () => {
    const { h1 } = rig()
    await h1.shell(`mkdir -p ${h1.path}`)
    await importGroup(rig(), h1)
    expect(await status(rig(), h1)).toEqual({ kind: 'imported' })
  })
}

const signal = new AbortController().signal

/** Imports on a host, like a plan would. */
export function importGroup({ group, mountPoint }: DiskGroupRig, host: DiskGroupHost, force = false): Promise<void> {
  return host.driver.import(group, { mountPoint, force, signal })
}

/** Exports on a host, like a plan would. */
export function exportGroup({ group, mountPoint }: DiskGroupRig, host: DiskGroupHost): Promise<void> {
  return host.driver.export(group, { mountPoint, signal })
}

/** Looks at it from a host. */
export function status(
  { group, mountPoint }: DiskGroupRig,
  host: DiskGroupHost,
): ReturnType<DiskGroupDriver['status']> {
  return host.driver.status(group, { mountPoint, signal })
}

/** Looks for what is left of it on a host. */
export function leftovers(
  { group, mountPoint }: DiskGroupRig,
  host: DiskGroupHost,
): ReturnType<DiskGroupDriver['leftovers']> {
  return host.driver.leftovers(group, { mountPoint, signal })
}

/** Lets a call run and cuts it off at a moment; whether it was done by then is all the same. */
async function cut(afterMs: number, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const running = call(controller.signal).catch(() => undefined)
  await createRealEffects().sleep(afterMs)
  controller.abort(new Error('cut off by the test'))
  await running
}
