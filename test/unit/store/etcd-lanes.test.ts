import { describe, expect, it } from 'vitest'
import { type CommitWait, type Lane, Lanes } from '../../../src/framework/store/etcd/lanes.ts'
import { LANES_KEPT_FOR_STAMPS, LANES_MAX } from '../../../src/framework/store/etcd/limits.ts'
import { VirtualClock } from '../daemon/virtual-clock.ts'

const patient: CommitWait = { untilMs: 1_000_000, isUrgent: false }
const stamp: CommitWait = { untilMs: 1_000_000, isUrgent: true }

function rig() {
  const clock = new VirtualClock()
  const lanes = new Lanes((number) => Buffer.from(String(number)), clock.effects())
  const held: { readonly lane: Lane; end(): void }[] = []
  const order: string[] = []
  /** Begins work that lasts until it is told to end. */
  const begin = (name: string, wait: CommitWait): Promise<void> =>
    lanes.with(wait, async (lane) => {
      order.push(name)
      await new Promise<void>((end) => held.push({ lane, end }))
    })
  return { clock, begin, held, order }
}

describe('the lanes of a writer', () => {
  it('keeps some for stamps, however much else is under way', async () => {
    const { clock, begin, held, order } = rig()
    const all = Array.from({ length: LANES_MAX }, (_, index) => begin(`commit ${index}`, patient))
    await clock.pass(1)
    expect(order).toHaveLength(LANES_MAX - LANES_KEPT_FOR_STAMPS)
    const stamps = Array.from({ length: LANES_KEPT_FOR_STAMPS }, () => begin('stamp', stamp))
    await clock.pass(1)
    expect(order.filter((name) => name === 'stamp')).toHaveLength(LANES_KEPT_FOR_STAMPS)
    expect(new Set(held.map(({ lane }) => lane.key.toString())).size).toBe(LANES_MAX)
    while (held.length > 0) {
      held.shift()?.end()
      await clock.pass(1)
    }
    await Promise.all([...all, ...stamps])
    expect(order).toHaveLength(LANES_MAX + LANES_KEPT_FOR_STAMPS)
  })

  it('lets a stamp go before all that waits', async () => {
    const { clock, begin, held, order } = rig()
    const first = [...Array.from({ length: LANES_MAX }, () => begin('first', stamp)), begin('commit', patient)]
    const then = begin('stamp', stamp)
    await clock.pass(1)
    held.shift()?.end()
    await clock.pass(1)
    expect(order.slice(LANES_MAX)).toEqual(['stamp'])
    while (held.length > 0) {
      held.shift()?.end()
      await clock.pass(1)
    }
    await Promise.all([...first, then])
    expect(order.at(-1)).toBe('commit')
  })

  it('ends the wait with the time there is, and with whoever gives it up', async () => {
    const { clock, begin, held, order } = rig()
    const first = Array.from({ length: LANES_MAX }, () => begin('first', stamp))
    const late = expect(begin('late', { untilMs: 300, isUrgent: true })).rejects.toMatchObject({
      kind: 'unreachable',
      message: `${LANES_MAX} commits are under way, and none of them ended in time`,
    })
    const ender = new AbortController()
    const given = expect(begin('given up', { ...patient, signal: ender.signal })).rejects.toBeDefined()
    await clock.pass(1)
    ender.abort()
    await given
    await clock.pass(400)
    await late
    for (const { end } of held) end()
    await Promise.all(first)
    expect(order).not.toContain('late')
  })
})
