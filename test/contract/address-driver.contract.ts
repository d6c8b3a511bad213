import type { ChildProcess } from 'node:child_process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LogicalAddress } from '../../src/framework/model/cluster-config.ts'
import type { AddressDriver } from '../../src/framework/ports/address-driver.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { codeOf } from './driver-rig/expected-failure.ts'

/** One physical host as the contract needs it. */
export interface AddressHost {
  readonly driver: AddressDriver
  readonly adapter: string
  /** Starts a server of this host on the logical address, and waits until it listens. */
  serve(): Promise<ChildProcess>
}

/** What an implementation brings; the address is down on both hosts before every test. */
export interface AddressRig {
  readonly address: LogicalAddress
  readonly h1: AddressHost
  readonly h2: AddressHost
  close(): Promise<void>
}

/** How an implementation is tested. */
export interface AddressTests {
  /** Why it cannot be tested on this machine. */
  readonly skip?: string | undefined
  readonly start: () => Promise<void>
  readonly rig: () => Promise<AddressRig>
  readonly stop: () => Promise<void>
}

/** Runs the promises of `ports/address-driver.ts` on an implementation. */
export function describeAddressDriver(name: string, made: AddressTests): void {
  const title = made.skip === undefined ? name : `${name} (skipped: ${made.skip})`
  describe.skipIf(made.skip !== undefined)(`address driver: ${title}`, () => {
    let rig: AddressRig
    beforeAll(made.start)
    afterAll(made.stop)
    beforeEach(async () => {
      rig = await made.rig()
    })
    afterEach(() => rig.close())
    promisesOfUpAndDown(() => rig)
    promisesWhenCut(() => rig)
  })
}

function promisesOfUpAndDown(rig: () => AddressRig): void {
  it('comes up and goes down, and says truly where it is', async () => {
    const { h1, h2 } = rig()
    expect(await isUp(rig(), h1)).toBe(false)
    expect(await leftovers(rig(), h1)).toEqual([])
    await up(rig(), h1)
    expect(await isUp(rig(), h1)).toBe(true)
    expect(await isUp(rig(), h2)).toBe(false)
    expect((await leftovers(rig(), h1)).map(({ kind }) => kind)).toEqual(['address'])
    expect(await leftovers(rig(), h2)).toEqual([])
    await down(rig(), h1)
    expect(await isUp(rig(), h1)).toBe(false)
    expect(await leftovers(rig(), h1)).toEqual([])
  })

  it('does twice what it did once', async () => {
    const { h1 } = rig()
    await up(rig(), h1)
    await up(rig(), h1)
    expect(await leftovers(rig(), h1)).toHaveLength(1)
    await down(rig(), h1)
    await down(rig(), h1)
    expect(await leftovers(rig(), h1)).toEqual([])
  })

  it('goes from host to host', async () => {
    const { h1, h2 } = rig()
    for (const [from, to] of [
      [h1, h2],
      [h2, h1],
      [h1, h2],
    ] as const) {
      await up(rig(), from)
      await down(rig(), from)
      await up(rig(), to)
      expect(await isUp(rig(), to)).toBe(true)
      expect(await isUp(rig(), from)).toBe(false)
      await down(rig(), to)
    }
  })

  it('does not come up while another host answers for it', async () => {
    const { h1, h2 } = rig()
    await up(rig(), h2)
    await h2.serve()
    expect(await codeOf(up(rig(), h1))).toBe('ADDRESS_IN_USE')
    expect(await isUp(rig(), h1)).toBe(false)
    expect(await isUp(rig(), h2)).toBe(true)
    await down(rig(), h1)
    expect(await isUp(rig(), h2)).toBe(true)
  })

  it('can be closed at any time, which moves nothing', async () => {
    const { h1 } = rig()
    await h1.driver.close()
    await up(rig(), h1)
    await h1.driver.close()
    await h1.driver.close()
    expect(await isUp(rig(), h1)).toBe(true)
  })
}

/** Moments at which a call is cut, ms after it began: closer together than anything that drivers do takes. */
const CUTS_MS = Array.from({ length: 20 }, (_, index) => index * 5)

function promisesWhenCut(rig: () => AddressRig): void {
  it.each(['up', 'down'] as const)('can be cut at any moment of %s', async (method) => {
    const { h1 } = rig()
    for (const afterMs of CUTS_MS) {
      if (method === 'down') await up(rig(), h1)
      await cut(afterMs, (signal) => h1.driver[method]({ address: rig().address, adapter: h1.adapter, signal }))
      expect((await leftovers(rig(), h1)).length > 0).toBe(await isUp(rig(), h1))
      if (afterMs % 2 === 0) {
        await up(rig(), h1)
        expect(await isUp(rig(), h1), `cut after ${afterMs} ms`).toBe(true)
      }
      await down(rig(), h1)
      expect(await leftovers(rig(), h1), `cut after ${afterMs} ms`).toEqual([])
    }
  })

  it('refuses to begin when the time is up already', async () => {
    const { h1, address } = rig()
    const late = AbortSignal.abort(new Error('too late'))
    await expect(h1.driver.up({ address, adapter: h1.adapter, signal: late })).rejects.toThrow(/too late|cut off/)
    expect(await isUp(rig(), h1)).toBe(false)
  })
}

const signal = new AbortController().signal

/** Brings the address up on a host. */
export function up({ address }: AddressRig, { driver, adapter }: AddressHost): Promise<void> {
  return driver.up({ address, adapter, signal })
}

/** Takes the address down on a host. */
export function down({ address }: AddressRig, { driver, adapter }: AddressHost): Promise<void> {
  return driver.down({ address, adapter, signal })
}

/** Asks a host whether it has the address. */
export function isUp({ address }: AddressRig, { driver, adapter }: AddressHost): Promise<boolean> {
  return driver.isUp({ address, adapter, signal })
}

/** Looks for what a host still has of the address. */
export function leftovers(
  { address }: AddressRig,
  { driver, adapter }: AddressHost,
): ReturnType<AddressDriver['leftovers']> {
  return driver.leftovers({ address, adapter, signal })
}

/** Lets a call run and cuts it off at a moment; whether it was done by then is all the same. */
async function cut(afterMs: number, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const running = call(controller.signal).catch(() => undefined)
  await createRealEffects().sleep(afterMs)
  controller.abort(new Error('cut off by the test'))
  await running
}
