import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { expectServed, NetworkWorld } from './network-world.ts'

let world: NetworkWorld
beforeEach(async () => {
  world = await NetworkWorld.make()
})
afterEach(() => world.close())

describe('whoever only holds connections open', () => {
  it.each([
    ['without a certificate', () => world.openTls()],
    ['of one host', () => world.openTls(world.alpha)],
  ])('does not keep others from being answered: 200 %s', async (_what, open) => {
    const held: Socket[] = []
    for (let count = 0; count < 200; count += 1) held.push(await open())
    await expectServed(world)
    for (const socket of held) socket.destroy()
  })

  it('loses them', async () => {
    const held = [await world.openTcp(), await world.openTls(), await world.openTls(world.alpha)]
    // Whoever does not read does not hear of the end either.
    for (const socket of held) socket.resume()
    await eventually('all of them to be closed', 30_000, (saw) => {
      const open = held.filter(({ destroyed }) => !destroyed).length
      saw(open)
      return open === 0 ? true : undefined
    })
    expect(held.length).toBe(3)
  }, 40_000)
})
