import { describe, expect, it } from 'vitest'
import { findNeeds } from '../../src/cli/print/needs.ts'
import { ApiWorld } from '../api/api-world.ts'

const DAY_MS = 86_400_000

describe('the certificates of hosts and witnesses', () => {
  it('are told two weeks before they end, and when they have ended', async () => {
    const world = await ApiWorld.make()
    try {
      const { body } = await world.get('/v1/status')
      const before = findNeeds(body)
      const certificateOf = (name: string, role: string, days: number): object => {
        return { name, role, validUntilWallMs: body.atWallMs + days * DAY_MS + 1 }
      }
      const certificates = [
        certificateOf('alpha', 'host', 14),
        certificateOf('beta', 'host', 13),
        certificateOf('gamma', 'host', 0),
        certificateOf('watcher', 'witness', -1),
      ]
      const needs = findNeeds({ ...body, certificates }).filter(({ what }) => !before.some((one) => one.what === what))
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
