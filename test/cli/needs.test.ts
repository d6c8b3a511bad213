import { describe, expect, it } from 'vitest'
import { findNeeds } from '../../src/cli/print/needs.ts'
import type { StatusJson } from '../../src/framework/api/wire.ts'
import { ApiWorld } from '../api/api-world.ts'

const DAY_MS = 86_400_000

describe('the certificates of hosts and witnesses', () => {
  it('are told two weeks before they end, and when they have ended', async () => {
    const world = await ApiWorld.make()
    try {
      const { body } = await world.get('/v1/status')
      const certificateOf = (name: string, role: string, days: number): object => {
        return { name, role, validUntilWallMs: body.atWallMs + days * DAY_MS + 1 }
      }
      const certificates = [
        certificateOf('alpha', 'host', 14),
        certificateOf('beta', 'host', 13),
        certificateOf('gamma', 'host', 0),
        certificateOf('watcher', 'witness', -1),
      ]
      const needs = findNeeds({ ...body, certificates }).filter(({ what }) => what.startsWith('the certificate'))
      expect(needs.map(({ what }) => what.replace(/ \(.*/, ''))).toEqual([
        'the certificate of beta expires in 13 days',
        'the certificate of gamma expires in less than a day',
        'the certificate of watcher has expired',
      ])
      expect(needs.at(-1)?.todo).toEqual([expect.stringContaining('while its voter runs on watcher')])
    } finally {
      await world.close()
    }
  })
})

describe('hosts that are no members', () => {
  it('are to be started, but those that were taken out are to be let in first', async () => {
    const world = await ApiWorld.make()
    try {
      const { body } = await world.get('/v1/status')
      const [host] = (body as StatusJson).physicalHosts
      const absent = (name: string): object => ({ ...host, name, membership: 'not a member' })
      const physicalHosts = [absent('away'), absent('evicted')]
      const certificates = [{ name: 'away', role: 'host', validUntilWallMs: body.atWallMs + 365 * DAY_MS }]
      const todoOf = (status: object): object =>
        Object.fromEntries(
          findNeeds(status as StatusJson)
            .filter(({ what }) => what.endsWith('is not a member of the cluster'))
            .map(({ what, todo }) => [what.split(' ')[0], todo.at(-1)]),
        )
      expect(todoOf({ ...body, physicalHosts, certificates })).toEqual({
        away: 'then on away: scadmin startnode',
        evicted: 'it has no certificate of the cluster; scadmin token here, then on evicted: scadmin join',
      })
      expect(todoOf({ ...body, physicalHosts, certificates: [] })).toMatchObject({
        evicted: 'then on evicted: scadmin startnode',
      })
    } finally {
      await world.close()
    }
  })
})

describe('machines that could take over from each other', () => {
  it('are told when no network carries their promises', async () => {
    const world = await ApiWorld.make()
    try {
      const { body } = await world.get('/v1/status')
      const [logicalHost] = (body as StatusJson).logicalHosts
      const logicalHosts = [{ ...logicalHost, physicalHosts: ['gamma', 'alpha', 'beta'] }]
      const network = (...hosts: readonly string[]): object => {
        return { name: hosts.join('-'), role: 'internal', state: 'up', interfaces: hosts.map((host) => ({ host })) }
      }
      const validUntilWallMs = body.atWallMs + 365 * DAY_MS
      const certificates = [{ name: 'alpha', role: 'host', validUntilWallMs }]
      const needsWith = (status: object): readonly string[] =>
        findNeeds({ ...body, logicalHosts, certificates, ...status } as StatusJson)
          .map(({ what }) => what)
          .filter((what) => what.startsWith('no network carries'))
      expect(needsWith({ privateNetworks: [] })).toEqual([
        'no network carries heartbeats between alpha and gamma, or between beta and gamma, or between alpha and beta',
      ])
      expect(needsWith({ privateNetworks: [network('alpha', 'beta'), network('beta', 'gamma')] })).toEqual([
        'no network carries heartbeats between alpha and gamma',
      ])
      expect(needsWith({ privateNetworks: [network('alpha', 'beta', 'gamma')] })).toEqual([])
      expect(needsWith({ privateNetworks: [], certificates: [] })).toEqual([])
    } finally {
      await world.close()
    }
  })
})
