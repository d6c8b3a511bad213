import { readFileSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { setVoterAddresses } from '../../../src/framework/daemon/offline/voter-addresses.ts'
import type { VoterStatus } from '../../../src/framework/ports/voters.ts'
import { readVoterFile } from '../../../src/framework/voter/voter-file.ts'
import { voterPaths } from '../../../src/framework/voter/voter-paths.ts'
import { eventually } from '../../eventually.ts'
import { missing, type VoterMachine, VoterRig, WITHIN_MS } from './voter-rig.ts'

describe.skipIf(missing !== undefined)('voters with an address in each of two networks', { timeout: 120_000 }, () => {
  let rig: VoterRig
  let alpha: VoterMachine
  let beta: VoterMachine
  beforeEach(async () => {
    rig = await VoterRig.create()
    alpha = rig.machine('alpha', { networks: 2 })
    beta = rig.machine('beta', { networks: 2 })
    await alpha.begin()
    return () => rig.end()
  })

  const listedAt = (machine: VoterMachine): Promise<readonly VoterStatus[]> => machine.ask((voters) => voters.list())
  const hostOf = ({ root }: VoterMachine) => ({ root, installation: rig.installation })
  // etcd keeps them in this order.
  const clientsOf = (addresses: readonly string[]) => addresses.map((address) => `http://${address}:7412`).toSorted()
  const peersOf = (addresses: readonly string[]) => addresses.map((address) => `http://${address}:7413`).toSorted()

  test('are one voter each, everywhere, and known to all by both addresses', async () => {
    await beta.join(alpha)
    for (const machine of [alpha, beta]) {
      const listed = await listedAt(machine)
      expect(listed.map(({ name, endpoints, peerUrls, silent }) => ({ name, endpoints, peerUrls, silent }))).toEqual(
        [alpha, beta].map(({ name, addresses }) => ({
          ...{ name, endpoints: clientsOf(addresses), silent: [] },
          peerUrls: peersOf(addresses),
        })),
      )
    }
    await eventually('alpha to know both endpoints of beta', WITHIN_MS, (saw) => {
      const others = readVoterFile(alpha.root)?.others
      saw(others)
      return others?.join() === clientsOf(beta.addresses).join() || undefined
    })
    await alpha.keep('a', 'kept')
    expect(await beta.read('a')).toBe('kept')
  })

  test('one asks again to be admitted, with other addresses than before', async () => {
    const [first = '', second = ''] = beta.addresses
    await alpha.ask((voters) => voters.admit({ name: 'beta', addresses: [first] }))
    const admission = await alpha.ask((voters) => voters.admit({ name: 'beta', addresses: [second, first] }))
    expect(admission.peerUrls.toSorted()).toEqual(peersOf([first, second]))
    const listed = await listedAt(alpha)
    expect(listed).toHaveLength(2)
    expect(listed.map(({ peerUrls }) => peerUrls)).toContainEqual(peersOf([first, second]))
    await beta.join(alpha)
    expect((await listedAt(alpha)).map(({ isHealthy }) => isHealthy)).toEqual([true, true])
  })

  test('one is given a further address, and one is taken away, while they run', async () => {
    const gamma = rig.machine('gamma')
    await gamma.join(alpha)
    const [own = ''] = gamma.addresses
    const further = own.replace(/\d+$/, '200')
    await expect(setVoterAddresses(hostOf(gamma), [further])).rejects.toMatchObject({ code: 'USAGE' })
    await expect(setVoterAddresses(hostOf(gamma), [own, 'x'])).rejects.toMatchObject({ code: 'USAGE' })
    await expect(setVoterAddresses(hostOf(gamma), [own, '203.0.113.7'])).rejects.toThrow(
      'this machine does not have the address 203.0.113.7 now',
    )
    expect(await setVoterAddresses(hostOf(gamma), [own, further])).toEqual({ name: 'gamma', addresses: [own, further] })
    const found = async (): Promise<VoterStatus | undefined> =>
      (await listedAt(alpha)).find(({ name }) => name === 'gamma')
    expect(await found()).toMatchObject({ endpoints: clientsOf([own, further]), isHealthy: true })
    await setVoterAddresses(hostOf(gamma), [further])
    expect(await found()).toMatchObject({ endpoints: clientsOf([further]), peerUrls: peersOf([further]) })
    await alpha.keep('a', 'kept')
    expect(await alpha.read('a')).toBe('kept')
  })

  test('one is started anew for addresses only while the others are well', async () => {
    const gamma = rig.machine('gamma', { networks: 2 })
    await beta.join(alpha)
    await gamma.join(alpha)
    await beta.lose()
    await expect(setVoterAddresses(hostOf(gamma), gamma.addresses.slice(1))).rejects.toMatchObject({
      code: 'VOTERS_UNSAFE',
      message: 'not well: beta',
    })
    expect(readVoterFile(gamma.root)?.addresses).toEqual(gamma.addresses)
  })

  test('one whose file is from before there could be several goes on, without being started anew', async () => {
    const gamma = rig.machine('gamma')
    await gamma.join(alpha)
    await gamma.killSupervisor()
    const { file } = voterPaths(gamma.root)
    const { addresses, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as { readonly addresses: readonly string[] }
    writeFileSync(file, JSON.stringify({ ...rest, address: addresses[0] }))
    const etcd = gamma.etcdPid()
    gamma.supervise()
    await gamma.reaches('to be looked after again', ({ phase, starts }) => phase === 'running' && starts === 0)
    expect(gamma.etcdPid()).toBe(etcd)
    await setVoterAddresses(hostOf(gamma), addresses)
    expect((await listedAt(alpha)).map(({ name, isHealthy }) => [name, isHealthy])).toEqual([
      ['alpha', true],
      ['gamma', true],
    ])
    expect(gamma.etcdPid()).toBe(etcd)
  })
})
