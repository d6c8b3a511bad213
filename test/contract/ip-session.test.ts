import { afterEach, describe, expect, it } from 'vitest'
import { createIpSession, type IpSession } from '../../src/framework/drivers/address/ip-session.ts'
import { findTagged } from '../../src/framework/drivers/processes.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { eventually } from '../eventually.ts'
import { missingFor } from './driver-rig/namespace-host.ts'

const skip = await missingFor(['ip'])
const tag = `haven-test-${process.pid}/-/session`
const unending = (): AbortSignal => new AbortController().signal
/** Addresses of the loopback adapter that nobody else uses. */
const addressOf = (number: number): string => `127.83.7.${number}`
const add = (number: number): string => `addr replace ${addressOf(number)}/32 dev lo`
const remove = (number: number): string => `addr del ${addressOf(number)}/32 dev lo`
const show = (number: number): string => `addr show to ${addressOf(number)}`

describe.skipIf(skip !== undefined)(`an ip that stays${skip ?? ''}`, () => {
  let session: IpSession
  const start = (): IpSession => {
    session = createIpSession({ effects: createRealEffects(), tag })
    return session
  }
  const pids = async (): Promise<readonly number[]> => (await findTagged(tag)).map(({ pid }) => pid)
  afterEach(async () => {
    session.close()
    await eventually('the program to end', 5_000, async () => ((await pids()).length === 0 ? true : undefined))
  })

  it('answers whoever asks, in one process', async () => {
    const { ask } = start()
    const numbers = Array.from({ length: 50 }, (_, index) => index + 1)
    const answers = await Promise.all(
      numbers.map(async (number) => [await ask([add(number)], show(number), unending()), number] as const),
    )
    for (const [{ json, complaint }, number] of answers) {
      expect(complaint).toBe('')
      expect(json).toContain(`"local":"${addressOf(number)}"`)
    }
    expect(await pids()).toHaveLength(1)
    for (const number of numbers)
      expect(await ask([remove(number)], show(number), unending())).toEqual({ json: '[]', complaint: '' })
  })

  it('tells what a command complained of, and answers all the same', async () => {
    const { ask } = start()
    const { json, complaint } = await ask(['addr del 127.83.8.1/32 dev no-such', remove(1)], show(1), unending())
    expect(complaint).toBe('Cannot find device "no-such"\nError: ipv4: Address not found.')
    expect(json).toBe('[]')
    await expect(ask([], 'addr show dev no-such', unending())).rejects.toThrow('Device "no-such" does not exist.')
    expect((await ask([], show(1), unending())).json).toBe('[]')
  })

  it('does nothing for those who have given up', async () => {
    const { ask } = start()
    await expect(ask([add(60)], show(60), AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    const giving = new AbortController()
    const first = ask([add(61)], show(61), unending())
    const second = ask([add(62)], show(62), giving.signal)
    giving.abort(new Error('while it waited'))
    await expect(second).rejects.toThrow('while it waited')
    await first
    expect((await ask([remove(61)], show(60), unending())).json).toBe('[]')
    expect((await ask([], show(62), unending())).json).toBe('[]')
  })

  it('ends one that hangs when whoever asked gives up; the next one gets an answer', async () => {
    const { ask } = start()
    await ask([], show(1), unending())
    const [pid = 0] = await pids()
    process.kill(pid, 'SIGSTOP')
    const giving = new AbortController()
    const hanging = ask([add(63)], show(63), giving.signal)
    const after = ask([], show(1), unending())
    await Promise.resolve()
    giving.abort(new Error('given up'))
    await expect(hanging).rejects.toThrow('given up')
    expect((await after).json).toBe('[]')
    expect(await pids()).not.toContain(pid)
    expect((await ask([], show(63), unending())).json).toBe('[]')
  })

  it('starts another one when somebody has ended it', async () => {
    const { ask } = start()
    await ask([], show(1), unending())
    const [pid = 0] = await pids()
    process.kill(pid, 'SIGKILL')
    expect((await ask([add(64)], show(64), unending())).json).toContain(addressOf(64))
    expect((await ask([remove(64)], show(64), unending())).json).toBe('[]')
  })
})
