import { expect, it } from 'vitest'
import { HaError, isHaError } from '../../src/framework/errors/ha-error.ts'
import type { FenceDevice } from '../../src/framework/model/fencing.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { FenceAgents } from '../../src/framework/ports/fence-agents.ts'
import { eventually } from '../eventually.ts'
import type { Conduct } from './fence-rig/outlets.ts'

/** Fencing under test, and the outlets that it switches. */
export interface FenceRig {
  readonly agents: FenceAgents
  /** Plugs the host h2 into an outlet, on; returns the device that switches it. */
  device(outlet: string, conduct?: Conduct, change?: Partial<FenceDevice>): FenceDevice
  power(outlet: string): string
  /** What was asked of the outlets, in order: `ACTION OUTLET`. */
  asked(): readonly string[]
  warnings(): readonly string[]
}

/** What every way of fencing has to keep. */
export function fenceAgentsContract(rig: () => FenceRig): void {
  confirms(rig)
  refuses(rig)
  switchesOnAgain(rig)
}

const host = parseName('physicalHost', 'h2')
const never = new AbortController().signal

function confirms(rig: () => FenceRig): void {
  const fence = (...levels: readonly (readonly FenceDevice[])[]) => rig().agents.fence({ host, levels }, never)

  it('confirms a host that is off, and says which device did it and how long it took', async () => {
    const device = rig().device('a')
    const { devices, tookMs } = await fence([device])
    expect(rig().power('a')).toBe('off')
    expect(devices).toEqual(['pdu-a'])
    expect(tookMs).toBeGreaterThanOrEqual(0)
  })

  it('may be repeated', async () => {
    const device = rig().device('a')
    await fence([device])
    await fence([device])
    expect(rig().power('a')).toBe('off')
  })
}

function refuses(rig: () => FenceRig): void {
  const fence = (...levels: readonly (readonly FenceDevice[])[]) => rig().agents.fence({ host, levels }, never)

  it('does not believe a device that says "off" while its status says "on"', async () => {
    const details = await refused(fence([rig().device('a', 'lies', { timeoutMs: 1_000 })]))
    expect(details).toEqual(['pdu-a: says that h2 is on after it was switched off'])
  })

  it('says what a device complained about', async () => {
    const details = await refused(fence([rig().device('a', 'refuses')]))
    expect(details[0]).toContain('the outlet is locked')
    expect(rig().power('a')).toBe('on')
  })

  it('tries the next level when one fails', async () => {
    const levels = [[rig().device('a', 'refuses')], [rig().device('b')]]
    expect((await fence(...levels)).devices).toEqual(['pdu-b'])
  })

  it('needs all devices of a level', async () => {
    const details = await refused(fence([rig().device('a'), rig().device('b', 'lies', { timeoutMs: 1_000 })]))
    expect(details).toHaveLength(1)
    const both = await fence([rig().device('a'), rig().device('b')])
    expect(both.devices).toEqual(['pdu-a', 'pdu-b'])
    expect([rig().power('a'), rig().power('b')]).toEqual(['off', 'off'])
  })

  it('gives up on a device that hangs when its time is up', async () => {
    const details = await refused(fence([rig().device('a', 'hangs', { timeoutMs: 500 })]))
    expect(details[0]).toContain('pdu-a: off failed')
    expect((await fence([rig().device('a', 'hangs', { timeoutMs: 500 })], [rig().device('b')])).devices).toEqual([
      'pdu-b',
    ])
  })

  it('knows nothing once it is called off', async () => {
    const ender = new AbortController()
    const fencing = rig().agents.fence({ host, levels: [[rig().device('a', 'hangs')]] }, ender.signal)
    ender.abort('the test is over')
    await expect(fencing).rejects.toSatisfy((error) => isHaError(error, 'ABORTED'))
  })
}

function switchesOnAgain(rig: () => FenceRig): void {
  const fence = (...levels: readonly (readonly FenceDevice[])[]) => rig().agents.fence({ host, levels }, never)

  it('switches a host on again after it was seen off, on every outlet', async () => {
    const devices = [rig().device('a', 'well', { action: 'reboot' }), rig().device('b', 'well', { action: 'reboot' })]
    await fence(devices)
    await eventually('both outlets to be on', 5_000, () => sees(rig().power('a') === 'on' && rig().power('b') === 'on'))
    const asked = rig().asked()
    const offs = asked.flatMap((line, index) => (line.startsWith('off') ? [index] : []))
    expect(Math.max(...offs)).toBeLessThan(asked.findIndex((line) => line.startsWith('on')))
  })

  it('only warns of a host that does not come on again', async () => {
    await fence([rig().device('a', 'stays-off', { action: 'reboot' })])
    await eventually('a warning', 5_000, () => sees(rig().warnings().length > 0))
    expect(rig().warnings()[0]).toContain('h2 was fenced and does not come on again')
    expect(rig().power('a')).toBe('off')
  })

  it('tells whether a device works without touching the host', async () => {
    expect(await rig().agents.probe(rig().device('a'), never)).toBe('')
    expect(await rig().agents.probe(rig().device('b', 'refuses'), never)).toContain('the login is wrong')
    expect([rig().power('a'), rig().power('b')]).toEqual(['on', 'on'])
  })
}

async function refused(fencing: Promise<unknown>): Promise<readonly string[]> {
  const error = await fencing.then(
    () => undefined,
    (why: unknown) => why,
  )
  expect(error).toBeInstanceOf(HaError)
  expect((error as HaError).code).toBe('FENCE_FAILED')
  return (error as HaError).details
}

function sees(what: boolean): true | undefined {
  return what ? true : undefined
}
