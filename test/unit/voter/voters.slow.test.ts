import { existsSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { recoverAlone } from '../../../src/framework/daemon/offline/managed-etcd.ts'
import { readVoterFile } from '../../../src/framework/voter/voter-file.ts'
import { voterPaths } from '../../../src/framework/voter/voter-paths.ts'
import { eventually } from '../../eventually.ts'
import { missing, type VoterMachine, VoterRig, WITHIN_MS } from './voter-rig.ts'

/** Joins in a row wait until etcd has seen its voters together for five seconds. */
const TIMEOUT_MS = 120_000

describe.skipIf(missing !== undefined)('three voters', { timeout: TIMEOUT_MS }, () => {
  let rig: VoterRig
  let alpha: VoterMachine
  let beta: VoterMachine
  let gamma: VoterMachine
  beforeEach(async () => {
    rig = await VoterRig.create()
    const [one, two, three] = await rig.cluster('alpha', 'beta', 'gamma')
    if (one === undefined || two === undefined || three === undefined) throw new Error('there are three')
    ;[alpha, beta, gamma] = [one, two, three]
    return () => rig.end()
  })

  test('each begins as a learner and is promoted; one that is lost is replaced by a new machine of its name', async () => {
    expect(await rolesOf(alpha)).toEqual(['follower', 'follower', 'leader'])
    await alpha.keep('a', 'kept')
    await gamma.lose()
    await eventually('gamma to be missed', WITHIN_MS, async () => {
      const listed = await alpha.ask((voters) => voters.list())
      return listed.some(({ name, isHealthy }) => name === 'gamma' && !isHealthy) || undefined
    })
    const again = rig.machine('gamma2')
    const { endpoints, initialCluster } = await alpha.ask((voters) =>
      voters.admit({ name: 'gamma', addresses: again.addresses }),
    )
    expect(endpoints).toEqual([alpha.endpoint, beta.endpoint, again.endpoint])
    expect(initialCluster).not.toContain(gamma.address)
    await again.joinAs('gamma', alpha)
    expect(await rolesOf(beta)).toEqual(['follower', 'follower', 'leader'])
    expect(await again.read('a')).toBe('kept')
  })

  test('none is taken out while the rest would be no majority, nor replaced while it is alive', async () => {
    await beta.lose()
    await expect(alpha.ask((voters) => voters.remove('gamma'))).rejects.toMatchObject({
      code: 'VOTERS_UNSAFE',
      message: 'the voter gamma is not taken out: without gamma, 2 of 2 voters must be well, and beta is not',
    })
    const other = { name: 'gamma', addresses: rig.machine('gamma2').addresses }
    await expect(alpha.ask((voters) => voters.admit(other))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await alpha.ask((voters) => voters.remove('beta'))
    expect(await rolesOf(alpha)).toHaveLength(2)
    await alpha.lose()
    await expect(gamma.ask((voters) => voters.remove('alpha'))).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })

  test('the leader hands over when it is taken out, and knows that it was; it may join again', async () => {
    const leader = [alpha, beta, gamma].find(({ name }) => name === 'alpha') ?? alpha
    await beta.ask((voters) => voters.remove('alpha'))
    const state = await leader.reaches('to know that it was taken out', ({ phase }) => phase === 'removed')
    expect(state.complaint).toBe('alpha was taken out of the voters')
    expect(leader.etcdPid()).toBeUndefined()
    await leader.joinAs('alpha', beta)
    expect(await rolesOf(beta)).toEqual(['follower', 'follower', 'leader'])
    expect(existsSync(`${voterPaths(leader.root).data}.former`)).toBe(true)
  })

  test('one that is admitted and never starts is shown, blocks a further one, and is admitted again', async () => {
    const fourth = { name: 'delta', addresses: rig.machine('delta').addresses }
    const admission = await alpha.ask((voters) => voters.admit(fourth))
    expect(await alpha.ask((voters) => voters.admit(fourth))).toEqual(admission)
    const listed = await alpha.ask((voters) => voters.list())
    expect(listed).toContainEqual(
      expect.objectContaining({ name: rig.machine('delta').address, role: 'joining', isHealthy: false }),
    )
    const fifth = { name: 'epsilon', addresses: rig.machine('epsilon').addresses }
    await expect(alpha.ask((voters) => voters.admit(fifth))).rejects.toMatchObject({ code: 'VOTERS_UNSAFE' })
    await alpha.ask((voters) => voters.remove(rig.machine('delta').address))
    expect(await rolesOf(alpha)).toHaveLength(3)
  })

  test('when the majority is lost for good, one goes on alone with what it knows, and those that come back are not let in', async () => {
    await gamma.keep('a', 'kept')
    await eventually('alpha to know it', WITHIN_MS, async () => (await alpha.read('a')) === 'kept' || undefined)
    const host = { root: alpha.root, installation: rig.installation }
    await expect(recoverAlone(host, ['beta', 'gamma'])).rejects.toMatchObject({
      code: 'VOTERS_UNSAFE',
      message: 'not lost, for they answer: beta, gamma',
    })
    await beta.lose()
    await gamma.lose()
    await alpha.reaches('to have no leader', ({ complaint }) => complaint.includes('it knows no leader'))
    await expect(recoverAlone(host, ['beta'])).rejects.toMatchObject({ code: 'USAGE' })
    await recoverAlone(host, ['gamma', 'beta'])
    await eventually('alpha to serve alone', WITHIN_MS, async () => {
      const listed = await alpha.ask((voters) => voters.list())
      return (listed.length === 1 && listed[0]?.isHealthy) || undefined
    })
    expect(await alpha.read('a')).toBe('kept')
    await eventually(
      'alpha to start like any other from now on',
      WITHIN_MS,
      () => readVoterFile(alpha.root)?.isAlone === false || undefined,
    )
    beta.supervise()
    gamma.supervise()
    for (const back of [beta, gamma]) await back.reaches('to stay out', ({ phase }) => phase === 'removed')
    expect([beta.etcdPid(), gamma.etcdPid()]).toEqual([undefined, undefined])
    await beta.join(alpha)
    expect(await rolesOf(alpha)).toEqual(['follower', 'leader'])
    expect(await beta.read('a')).toBe('kept')
  })

  test('are started anew one after the other when the guard of the cluster changes', async () => {
    const timings = JSON.stringify({ timings: { guardMs: 600 } })
    await alpha.write('/haven/lab/records/cluster', timings)
    for (const machine of [alpha, beta, gamma]) {
      await eventually(`${machine.name} to be tuned`, 90_000, (saw) => {
        const { tuning } = readVoterFile(machine.root) ?? {}
        saw(tuning)
        return tuning?.electionMs === 200 || undefined
      })
      await machine.reaches('to run again', ({ phase, complaint, starts }) => {
        return phase === 'running' && complaint === '' && starts === 2
      })
    }
    expect(await rolesOf(alpha)).toEqual(['follower', 'follower', 'leader'])
  })
})

async function rolesOf(machine: VoterMachine): Promise<readonly string[]> {
  const listed = await machine.ask((voters) => voters.list())
  return listed.map(({ role }) => role).toSorted()
}
