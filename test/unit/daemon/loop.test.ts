import { describe, expect, it } from 'vitest'
import { HaError } from '../../../src/framework/errors/ha-error.ts'
import { PROFILES } from '../../../src/framework/membership/check-timings.ts'
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

async function setGuardMs(world: SmallWorld, guardMs: number): Promise<void> {
  const services = world.hosts.get('alpha')?.loop.services
  const timings = { ...PROFILES.default, guardMs }
  const change = services?.configure(({ cluster }) => [{ kind: 'cluster', cluster: { ...cluster, timings } }])
  await world.finish(change ?? Promise.resolve(null))
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
    const loss = world.hosts.get('beta')?.loop.services.reconfigurations().at(-1)?.cause
    const { guardMs, abortMs, marginMs } = PROFILES.default
    const silentMs = (loss?.kind === 'hosts-lost' ? loss.hosts[0]?.silentMs : undefined) ?? 0
    expect(silentMs).toBeGreaterThan(guardMs + abortMs + marginMs)
    expect(silentMs).toBeLessThan(3_500)
  })

  it.each(['a host', 'a host whose daemon was killed and started again'])(
    'is not taken over from before its guard has fired, although the guard time was shortened: %s',
    async (kind) => {
      const world = await twoHosts()
      await setGuardMs(world, 9_000)
      await world.clock.pass(1_000)
      await setGuardMs(world, 1_500)
      if (kind !== 'a host') {
        await world.hosts.get('alpha')?.loop.stop()
        await world.start('alpha')
      }
      // Some stamps that allow less than those before them.
      await world.clock.pass(1_000)
      const alpha = world.hosts.get('alpha')
      const deadlineMs = alpha?.guard.deadlineMs() ?? 0
      await alpha?.loop.stop()
      await world.clock.passUntil('ha1 taken over', 20_000, () => world.where('beta', 'ha1') !== 'mastered by alpha')
      expect(world.clock.nowMs).toBeGreaterThan(deadlineMs + PROFILES.default.abortMs)
    },
  )

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
    const rest = await world.finish(alpha?.loop.leave('anna') ?? Promise.resolve([]))
    expect([world.where('beta', 'ha1'), rest]).toEqual(['mastered by beta', []])
    expect(alpha?.ending?.kind).toBe('left')
    expect(alpha?.guard.former).toBe('none')
    expect([...(world.hosts.get('beta')?.loop.services.state().members.keys() ?? [])]).toEqual(['beta'])
  })

  it('leaves without the end of what another host takes on for long, and says so', async () => {
    const world = await twoHosts()
    let end: () => void = () => undefined
    const ended = new Promise<void>((done) => {
      end = done
    })
    world.answer = (host, action) =>
      host === 'beta' && action.kind === 'import' ? ended.then(() => ({ kind: 'done', output: [] })) : undefined
    const alpha = world.hosts.get('alpha')
    const rest = await world.finish(alpha?.loop.leave('anna') ?? Promise.resolve([]))
    expect(rest).toEqual([{ logicalHost: 'ha1', by: 'beta', reconfiguration: expect.any(Number) }])
    expect(world.where('beta', 'ha1')).toBe('being taken on by beta')
    expect(alpha?.ending?.kind).toBe('left')
    end()
    await world.clock.passUntil('ha1 to be mastered', 2_000, () => world.where('beta', 'ha1') === 'mastered by beta')
  })

  it('carries on the life of a daemon that was killed, and calls nothing', async () => {
    const world = await twoHosts()
    await world.clock.pass(1_000)
    await world.hosts.get('alpha')?.loop.stop()
    const acts = world.acts.length
    const alpha = await world.start('alpha')
    await world.clock.pass(5_000)
    expect(alpha.loop.services.identity()).toMatchObject({ role: 'member', incarnation: 1 })
    expect(world.where('beta', 'ha1')).toBe('mastered by alpha')
    expect(world.acts.slice(acts)).toEqual([])
  })

  it('runs a half again from its first step when it was cut', async () => {
    const world = await twoHosts()
    const beta = world.hosts.get('beta')
    world.stepMs = 100
    const cause = { kind: 'switchover', logicalHosts: [logical('ha1')], to: physical('beta'), by: 'anna' } as const
    await world.finish(beta?.loop.services.submit(cause, { busyWaitMs: 0 }) ?? Promise.resolve(null))
    await world.clock.pass(250)
    await world.hosts.get('alpha')?.loop.stop()
    await world.start('alpha')
    await world.clock.passUntil('ha1 to move', 10_000, () => world.where('beta', 'ha1') === 'mastered by beta')
    expect(world.acts.filter((act) => act === "alpha STOP web '' 'ha1'")).toHaveLength(2)
  })

  it('stops acting and fires its guard when it does not reach the database until its deadline', async () => {
    const world = await twoHosts()
    world.cutOff.add('alpha')
    const alpha = world.hosts.get('alpha')
    const tookMs = await world.clock.passUntil('alpha to end', 5_000, () => alpha?.guard.fired !== undefined)
    expect(tookMs).toBeLessThanOrEqual(1_500)
    expect(alpha?.guard.fired).toContain('may no longer act')
    await world.clock.passUntil('a takeover', 5_000, () => world.where('beta', 'ha1') === 'mastered by beta')
    await world.clock.pass(1_000)
    expect(alpha?.ending?.kind).toBe('deadline-passed')
  })

  it('begins no step once its deadline has passed', async () => {
    const world = await twoHosts()
    world.stepMs = 400
    const beta = world.hosts.get('beta')
    const cause = { kind: 'switchover', logicalHosts: [logical('ha1')], to: physical('beta'), by: 'anna' } as const
    await world.finish(beta?.loop.services.submit(cause, { busyWaitMs: 0 }) ?? Promise.resolve(null))
    world.cutOff.add('alpha')
    await world.clock.passUntil('alpha to end', 5_000, () => world.hosts.get('alpha')?.guard.fired !== undefined)
    const acts = world.acts.filter((act) => act.startsWith('alpha')).length
    await world.clock.pass(10_000)
    expect(world.acts.filter((act) => act.startsWith('alpha'))).toHaveLength(acts)
  })

  it('counts time that the machine slept', async () => {
    const world = await twoHosts()
    world.clock.sleptMs += 10_000
    const alpha = world.hosts.get('alpha')
    await world.clock.passUntil('alpha to end', 2_000, () => alpha?.guard.fired !== undefined)
    expect(alpha?.ending?.kind ?? 'deadline-passed').toBe('deadline-passed')
  })

  it('survives a jump of the wall clock, by a stamp that it sends afterwards', async () => {
    const world = await twoHosts()
    world.clock.wallAheadMs += 3_600_000
    await world.clock.pass(5_000)
    expect(world.hosts.get('alpha')?.ending).toBeUndefined()
    expect(world.where('beta', 'ha1')).toBe('mastered by alpha')
  })

  it('moves a service that will not start to the next host, and remembers why', async () => {
    const world = await twoHosts()
    world.answer = (host, action) =>
      host === 'beta' && action.kind === 'method' && action.method === 'START'
        ? Promise.resolve({ kind: 'failed', message: 'exit code 1', output: ['no license'], leftovers: [] })
        : undefined
    const beta = world.hosts.get('beta')
    const cause = { kind: 'switchover', logicalHosts: [logical('ha1')], to: physical('beta'), by: 'anna' } as const
    const number = await world.finish(beta?.loop.services.submit(cause, { busyWaitMs: 0 }) ?? Promise.resolve(null))
    await world.clock.pass(2_000)
    expect(world.where('beta', 'ha1')).toBe('mastered by alpha')
    const runs = beta?.loop.services.halfRuns(number ?? 0) ?? []
    expect(runs.map(({ kind, outcome }) => `${kind} ${outcome.kind}`)).toContain('take-on failed')
    expect(runs.flatMap(({ steps }) => steps.flatMap(({ output }) => output))).toEqual(['no license'])
  })

  it('is stuck when a release cannot be proved, and goes nowhere', async () => {
    const world = await twoHosts()
    const leftovers = [{ kind: 'process', what: 'process 7', remedy: 'kill 7' }] as const
    world.answer = (_host, action) =>
      action.kind === 'prove-released'
        ? Promise.resolve({ kind: 'failed', message: 'still here', output: [], leftovers })
        : undefined
    const alpha = world.hosts.get('alpha')
    await expect(world.finish(alpha?.loop.leave('anna') ?? Promise.resolve([]))).rejects.toThrow(
      'could not be released',
    )
    expect(world.where('beta', 'ha1')).toBe('stuck on alpha: not released provably')
    expect(alpha?.ending).toBeUndefined()
    world.answer = () => undefined
    const cleared = { kind: 'cleared', logicalHost: logical('ha1'), by: 'anna' } as const
    await world.finish(alpha?.loop.services.submit(cleared, { busyWaitMs: 0 }) ?? Promise.resolve(null))
    await world.clock.passUntil('ha1 to move', 2_000, () => world.where('beta', 'ha1') === 'mastered by beta')
    await world.finish(alpha?.loop.leave('anna') ?? Promise.resolve([]))
    expect(alpha?.ending?.kind).toBe('left')
  })

  it('leaves when its guard does not answer', async () => {
    const world = await twoHosts()
    const alpha = world.hosts.get('alpha')
    if (alpha === undefined) throw new Error('unreachable')
    alpha.guard.extend = () => Promise.reject(new HaError('GUARD_LOST', 'no answer'))
    await world.clock.passUntil('alpha to leave', 5_000, () => alpha.ending !== undefined)
    expect(alpha.ending?.kind).toBe('left')
    await world.clock.passUntil('ha1 to move', 2_000, () => world.where('beta', 'ha1') === 'mastered by beta')
  })
})

describe('starting a host', () => {
  it('refuses to found a cluster that is alive', async () => {
    const world = await twoHosts()
    await expect(world.start('gamma', 'found')).rejects.toThrow('gives signs of life')
  })

  it('refuses to join a cluster that nobody started, or that has no living member', async () => {
    const world = new SmallWorld()
    await expect(world.start('alpha')).rejects.toThrow('was never started')
    const alpha = await world.start('alpha', 'found')
    await alpha.loop.stop()
    await expect(world.start('beta')).rejects.toThrow('gives a sign of life')
  })

  it('founds a cluster whose members are gone: they are given up, and what they held is taken on by force', async () => {
    const world = await twoHosts()
    for (const host of world.hosts.values()) await host.loop.stop()
    for (const host of world.hosts.values()) host.guard.former = 'ended'
    const beta = await world.start('beta', 'found')
    expect([...beta.loop.services.state().members.keys()]).toEqual(['beta'])
    await world.clock.passUntil('ha1 mastered', 10_000, () => world.where('beta', 'ha1') === 'mastered by beta')
  })

  it('begins a new life when the guard has fired, and gives up the former one itself', async () => {
    const world = await twoHosts()
    const alpha = world.hosts.get('alpha')
    alpha?.loop.fail('a test')
    await world.clock.pass(100)
    const again = await world.start('alpha')
    expect(again.loop.services.identity().incarnation).toBeGreaterThan(3)
    await world.clock.passUntil('a master', 5_000, () => world.where('beta', 'ha1').startsWith('mastered by'))
  })

  it('does not join when what it held before cannot be stopped', async () => {
    const world = await twoHosts()
    const alpha = world.hosts.get('alpha')
    alpha?.loop.fail('a test')
    await world.clock.pass(100)
    const leftover = { kind: 'mount', what: '/ha1', remedy: 'umount /ha1' } as const
    if (alpha !== undefined) alpha.guard.abortRemains = () => Promise.resolve([leftover])
    await expect(world.start('alpha')).rejects.toThrow('could not be stopped')
  })
})
