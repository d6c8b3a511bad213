import { describe, expect, it } from 'vitest'
import { ADAPTER_TESTS_DEFAULT as TESTS } from '../../../src/framework/model/adapter-tests.ts'
import type { GroupSight } from '../../../src/framework/model/network.ts'
import type { AdapterVerdict } from '../../../src/framework/supervise/adapter-verdict.ts'
import { type GroupLook, groupVerdict } from '../../../src/framework/supervise/group-verdict.ts'

const { compareMs } = TESTS

/** A group of two: `eth1` is preferred, `eth2` stands by. */
function look(eth1: AdapterVerdict, eth2: AdapterVerdict, rest: Partial<GroupLook> = {}): GroupLook {
  const adapters = [
    { name: 'eth1', verdict: eth1 },
    { name: 'eth2', verdict: eth2 },
  ]
  return { nowMs: 10_000, active: 'eth1', adapters, others: ['ok'], before: 'ok', allBadSinceMs: undefined, ...rest }
}

/** The same, when nothing has worked for so long. */
function long(waitedMs: number, others: readonly GroupSight['state'][]): Partial<GroupLook> {
  return { others, allBadSinceMs: 10_000 - waitedMs, before: 'doubtful' }
}

const judge = (given: GroupLook) => groupVerdict(given, TESTS)

describe('a backup group', () => {
  it('stays on the adapter that works, whatever the others do', () => {
    expect(judge(look('ok', 'ok'))).toMatchObject({ state: 'ok', active: 'eth1', faulty: [] })
    expect(judge(look('ok', 'link-down'))).toMatchObject({ state: 'ok', active: 'eth1', faulty: ['eth2'] })
    expect(judge(look('testing', 'ok'))).toMatchObject({ state: 'ok', active: 'eth1' })
  })

  it('does not go back to the preferred adapter by itself', () => {
    expect(judge(look('ok', 'ok', { active: 'eth2' }))).toMatchObject({ active: 'eth2' })
  })

  it('goes on to the next adapter at once when the link is down', () => {
    expect(judge(look('link-down', 'ok'))).toMatchObject({ state: 'ok', active: 'eth2', faulty: ['eth1'] })
    expect(judge(look('link-down', 'recovering'))).toMatchObject({ state: 'ok', active: 'eth2' })
    expect(judge(look('link-down', 'doubtful'))).toMatchObject({ state: 'ok', active: 'eth2' })
  })

  it('leaves a silent adapter only for one that works', () => {
    expect(judge(look('silent', 'ok'))).toMatchObject({ state: 'ok', active: 'eth2', faulty: ['eth1'] })
    expect(judge(look('silent', 'testing'))).toMatchObject({ state: 'doubtful', active: 'eth1', faulty: [] })
    expect(judge(look('silent', 'doubtful'))).toMatchObject({ state: 'doubtful', active: 'eth1', faulty: [] })
    expect(judge(look('doubtful', 'ok'))).toMatchObject({ state: 'doubtful', active: 'eth1' })
  })

  it('is in doubt at first when nothing of it works', () => {
    expect(judge(look('link-down', 'silent'))).toMatchObject({
      state: 'doubtful',
      active: 'eth1',
      allBadSinceMs: 10_000,
    })
    expect(judge(look('link-down', 'link-down', long(compareMs - 1, ['ok'])))).toMatchObject({ state: 'doubtful' })
  })

  it('has failed when the network works for another host', () => {
    expect(judge(look('link-down', 'link-down', long(compareMs, ['network-down', 'ok'])))).toMatchObject({
      state: 'failed',
      faulty: ['eth1', 'eth2'],
    })
    expect(judge(look('silent', 'silent', long(compareMs, ['ok'])))).toMatchObject({ state: 'failed' })
  })

  it('has not failed when the network is down for everybody', () => {
    expect(judge(look('silent', 'silent', long(compareMs, ['network-down'])))).toMatchObject({ state: 'network-down' })
    expect(judge(look('link-down', 'link-down', long(compareMs, ['failed'])))).toMatchObject({ state: 'network-down' })
  })

  it('waits for others that are in doubt, and not for ever', () => {
    expect(judge(look('silent', 'silent', long(compareMs, ['doubtful'])))).toMatchObject({ state: 'doubtful' })
    expect(judge(look('silent', 'silent', long(10 * compareMs, ['doubtful'])))).toMatchObject({ state: 'network-down' })
  })

  it('knows of itself alone that its links are down, and nothing of silence', () => {
    expect(judge(look('link-down', 'link-down', long(compareMs, [])))).toMatchObject({ state: 'failed' })
    expect(judge(look('silent', 'link-down', long(compareMs, [])))).toMatchObject({ state: 'network-down' })
  })

  it('has failed until an adapter of it has worked for a while', () => {
    const failed = { before: 'failed', allBadSinceMs: 0 } as const
    expect(judge(look('recovering', 'link-down', failed))).toMatchObject({ state: 'failed' })
    expect(judge(look('link-down', 'recovering', failed))).toMatchObject({ state: 'failed', active: 'eth2' })
    expect(judge(look('doubtful', 'link-down', failed))).toMatchObject({ state: 'failed' })
    expect(judge(look('ok', 'link-down', failed))).toMatchObject({ state: 'ok', allBadSinceMs: undefined })
  })

  it('is taken for what it has when its active adapter was taken out of it', () => {
    expect(judge(look('ok', 'ok', { active: 'eth9' }))).toMatchObject({ state: 'ok', active: 'eth1' })
  })
})
