import { describe, expect, it } from 'vitest'
import { logical, logicalHostChanges, physical, SmallWorld, serviceChange } from './small-world.ts'

async function twoHosts(): Promise<SmallWorld> {
  const world = new SmallWorld()
  const alpha = await world.start('alpha', 'found')
  await world.start('beta')
  const changes = [...logicalHostChanges('ha1', ['alpha', 'beta']), serviceChange('web', ['ha1'])]
  for (const name of ['alpha', 'beta']) {
    await world.clock.passUntil(`${name} to be known`, 2_000, () =>
      alpha.loop.services.state().physicalHosts.has(physical(name)),
    )
  }
  await world.finish(alpha.loop.services.configure(() => changes))
  await world.clock.passUntil('ha1 mastered', 5_000, () => world.where('beta', 'ha1') === 'mastered by alpha')
  return world
}

describe('the loop of a host', () => {
  it('takes on what was configured, and runs every step once', async () => {
    const world = await twoHosts()
    await world.clock.pass(1_000)
    expect(world.acts.slice(0, 3)).toEqual(['alpha import ha1', "alpha START web 'ha1' ''", 'alpha address-up ha1'])
    expect(world.acts.slice(3).toSorted()).toEqual(["alpha FM_START web 'ha1' ''", "beta FM_START web '' 'ha1'"])
    expect(world.hosts.get('alpha')?.guard.held.map((holding) => holding.logicalHost)).toEqual(['ha1'])
    const runs = world.hosts.get('beta')?.loop.services.halfRuns(3) ?? []
    expect(runs.map((run) => `${run.host} ${run.kind} ${run.outcome.kind}`).toSorted()).toEqual([
      'alpha take-on done',
      'alpha watch-start done',
      'beta watch-start done',
    ])
  })

  it('switches over on request, with nothing waiting in between', async () => {
    const world = await twoHosts()
    const beta = world.hosts.get('beta')
    const cause = { kind: 'switchover', logicalHosts: [logical('ha1')], to: physical('beta'), by: 'anna' } as const
    await world.finish(beta?.loop.services.submit(cause, { busyWaitMs: 0 }) ?? Promise.resolve(null))
    const tookMs = await world.clock.passUntil(
      'ha1 to move',
      5_000,
      () => world.where('alpha', 'ha1') === 'mastered by beta',
    )
    // 10 steps of one millisecond each, and no delay of the loop's own.
    expect(tookMs).toBeLessThanOrEqual(12)
  })

  it('takes over from a host that crashed, after the expiry', async () => {
    const world = await twoHosts()
    await world.hosts.get('alpha')?.loop.stop()
    const tookMs = await world.clock.passUntil(
      'ha1 to be taken over',
      10_000,
      () => world.where('beta', 'ha1') === 'mastered by beta',
    )
    expect(tookMs).toBeGreaterThan(1_500)
    expect(tookMs).toBeLessThan(3_500)
  })

  it('is evicted when others gave it up, and fires its guard', async () => {
    const world = await twoHosts()
    const beta = world.hosts.get('beta')
    const cause = { kind: 'hosts-lost', hosts: [{ host: physical('alpha'), evidence: 'fenced' }] } as const
    await world.finish(beta?.loop.services.submit(cause, { busyWaitMs: 0 }) ?? Promise.resolve(null))
    const alpha = world.hosts.get('alpha')
    await world.clock.passUntil('alpha to end', 2_000, () => alpha?.ending !== undefined)
    expect(alpha?.ending?.kind).toBe('evicted')
    expect(alpha?.guard.fired).toContain('no longer a member')
  })

  it('leaves in an orderly way: everything moves, and the guard stands down', async () => {
    const world = await twoHosts()
    const alpha = world.hosts.get('alpha')
    await world.finish(alpha?.loop.leave('anna') ?? Promise.resolve())
    await world.clock.passUntil('ha1 to be mastered', 2_000, () => world.where('beta', 'ha1') === 'mastered by beta')
    expect(alpha?.ending?.kind).toBe('left')
    expect(alpha?.guard.former).toBe('none')
    expect([...(world.hosts.get('beta')?.loop.services.state().members.keys() ?? [])]).toEqual(['beta'])
  })
})
