import { beforeEach, describe, expect, test } from 'vitest'
import { createLeadKeeper, type LeadKeeper } from '../../../src/framework/daemon/lead-keeper.ts'
import { eventually } from '../../eventually.ts'
import { fenced } from '../configure/fixture.ts'
import { missing, type VoterMachine, VoterRig, WITHIN_MS } from './voter-rig.ts'

const TIMEOUT_MS = 120_000
const LOOK_MS = 10_000
const LOOKS_MAX = 30

describe.skipIf(missing !== undefined)('the lead of three voters', { timeout: TIMEOUT_MS }, () => {
  let alpha: VoterMachine
  let witness: VoterMachine
  let nowMs = 0
  let keeper: LeadKeeper
  const messages: string[] = []
  beforeEach(async () => {
    const rig = await VoterRig.create()
    const [one, two, three] = await rig.cluster('alpha', 'beta', 'witness')
    if (one === undefined || two === undefined || three === undefined) throw new Error('there are three')
    ;[alpha, witness] = [one, three]
    nowMs = 0
    messages.length = 0
    const log = { write: ({ message }: { readonly message: string }) => void messages.push(message) }
    keeper = createLeadKeeper('alpha', { effects: { nowMonotonicMs: () => nowMs }, log })
    return () => rig.end()
  })

  /** Some looks, one every ten seconds, with commits between them; returns who leads then. */
  async function look(times: number): Promise<string | undefined> {
    for (let time = 0; time < times; time += 1) {
      nowMs += LOOK_MS
      await alpha.write('stamp', String(nowMs))
      await alpha.ask(async (voters) => keeper.look(voters, await voters.list(), fenced))
    }
    return leader()
  }

  /** Looks until somebody leads; returns how many looks it took. A busy machine may seem slow at one of them, and then it takes some more. */
  async function looksUntil(name: string): Promise<number> {
    for (let looks = 1; looks <= LOOKS_MAX; looks += 1) if ((await look(1)) === name) return looks
    throw new Error(`${name} does not lead after ${LOOKS_MAX} looks`)
  }

  async function leader(): Promise<string | undefined> {
    const listed = await alpha.ask((voters) => voters.list())
    return listed.find(({ role }) => role === 'leader')?.name
  }

  test('goes to a witness that was quick enough twice, and is left there', async () => {
    expect(await looksUntil('witness')).toBeGreaterThanOrEqual(3)
    expect(messages).toEqual([expect.stringContaining('over to witness, which masters nothing')])
    expect(await look(5)).toBe('witness')
  })

  test('goes to another host that masters nothing while the witness does not answer', async () => {
    await look(2)
    witness.killEtcd('SIGSTOP')
    try {
      expect(await looksUntil('beta')).toBeGreaterThanOrEqual(1)
    } finally {
      witness.killEtcd('SIGCONT')
    }
  })

  test('rests where it went to by itself: a minute, then two', async () => {
    await looksUntil('witness')
    for (const restMs of [60_000, 120_000]) {
      await alpha.ask((voters) => voters.lead('alpha'))
      expect(await leader()).toBe('alpha')
      // The one that ends the rest only measures, as does the first one ever.
      expect(await looksUntil('witness')).toBeGreaterThanOrEqual(restMs / LOOK_MS + 2)
    }
  })

  test('is not handed to who is no follower, or unknown', async () => {
    await expect(alpha.ask((voters) => voters.lead('delta'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'there is no follower delta among the voters',
    })
    await expect(alpha.ask((voters) => voters.lead('alpha'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await leader()).toBe('alpha')
  })

  test('is measured with the voters that answer', async () => {
    witness.killEtcd('SIGSTOP')
    try {
      const speeds = await alpha.ask((voters) => voters.measure(['alpha', 'beta', 'witness', 'delta']))
      expect([...speeds.keys()].toSorted()).toEqual(['alpha', 'beta'])
    } finally {
      witness.killEtcd('SIGCONT')
    }
    await eventually('the witness to answer', WITHIN_MS, async () => {
      const speeds = await alpha.ask((voters) => voters.measure(['witness']))
      const speed = speeds.get('witness')
      return speed !== undefined && speed.roundTripMs > 0 && speed.syncs.count > 0 ? true : undefined
    })
  })
})
