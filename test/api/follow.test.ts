import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FollowEvent } from '../../src/framework/api/wire.ts'
import type { HandsOutcome } from '../../src/framework/execute/hands.ts'
import { ApiWorld } from './api-world.ts'

let world: ApiWorld
beforeEach(async () => {
  world = await ApiWorld.make()
  await world.register()
})
afterEach(() => world.close())

const on = { kind: 'services-on', services: ['web'] }
const toBeta = { kind: 'switchover', logicalHosts: ['ha1'], to: 'beta' }
const failed: HandsOutcome = { kind: 'failed', message: 'exit code 1', output: ['no port'], leftovers: [] }

/** The lines of a stream, shortened: `half-ended beta take-on done`. */
function shorten(events: readonly FollowEvent[]): readonly string[] {
  return events
    .filter(({ kind }) => kind !== 'alive')
    .map((event) => {
      switch (event.kind) {
        case 'plan':
          return `plan: ${event.plan.cause.sentence}`
        case 'half-started':
          return `started: ${event.host} ${event.half}`
        case 'half-ended':
          return `ended: ${event.half.host} ${event.half.kind} ${event.half.state}`
        case 'progress':
          return `progress: ${event.progress.host} ${event.progress.sentence}`
        case 'superseded':
          return 'superseded'
        default:
          return event.kind === 'end' ? `end: ${event.outcome} ${event.why.join(' ')}`.trim() : event.kind
      }
    })
}

describe('a followed reconfiguration', () => {
  it('tells its plan, the beginning and the end of each half, and whether it was reached', async () => {
    await world.submit(on)
    const lines = shorten(await world.submit(toBeta)).filter((line) => !line.includes('watch'))
    expect(lines).toEqual([
      'plan: switchover of ha1 to beta, asked by anna',
      'started: alpha give-up',
      'ended: alpha give-up done',
      'started: beta take-on',
      'ended: beta take-on done',
      'end: reached',
    ])
  })

  it('shows steps that take a while, and is never silent for long', async () => {
    await world.submit(on)
    world.answer = (_, action, call) =>
      action.kind === 'method' && action.method === 'STOP'
        ? world.clock
            .effects()
            .sleep(20_000, call.signal)
            .then(() => ({ kind: 'done', output: [] }))
        : undefined
    const events = await world.submit(toBeta)
    expect(shorten(events).filter((line) => line.startsWith('progress'))).toEqual(['progress: alpha STOP web'])
    expect(events.filter(({ kind }) => kind === 'alive').length).toBeGreaterThanOrEqual(3)
    expect(events.at(-1)).toMatchObject({ kind: 'end', outcome: 'reached' })
  })

  it('goes on with what supersedes it: a START that fails, the next host, then without the service', async () => {
    world.answer = (_, action) =>
      action.kind === 'method' && action.method === 'START' ? Promise.resolve(failed) : undefined
    const events = await world.submit(on)
    expect(events.filter(({ kind }) => kind === 'superseded').length).toBeGreaterThanOrEqual(2)
    expect(events.at(-1)).toMatchObject({ kind: 'end', outcome: 'not reached' })
    expect(shorten(events).at(-1)).toMatch(
      /^end: not reached ha1 is without web: START failed on (alpha|beta) \(.*exit code 1/,
    )
    const first = await world.get(`/v1/reconfigurations/${events[0]?.kind === 'plan' ? events[0].reconfiguration : 0}`)
    expect(first.body).toMatchObject({ state: 'superseded', followedBy: expect.any(Number) })
    expect(first.body.lanes[0].halves[0]).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('exit code 1'),
    })
    const rows = (await world.get('/v1/reconfigurations')).body.reconfigurations
    expect(rows.at(-1)).toMatchObject({ state: 'done', follows: expect.any(Number) })
  })

  it('says that it was not reached when it is stuck', async () => {
    const leftovers = [{ kind: 'mount', what: '/ha1', remedy: 'umount /ha1' }] as const
    world.answer = (_, action) =>
      action.kind === 'prove-released'
        ? Promise.resolve({ kind: 'failed', message: 'something is left', output: [], leftovers })
        : undefined
    const events = await world.submit(toBeta)
    expect(shorten(events).at(-1)).toBe('end: not reached ha1 is stuck on alpha: not released provably.')
    expect((await world.get('/v1/status')).body.logicalHosts[0]).toMatchObject({ mastery: 'stuck', leftovers })
    expect((await world.post('/v1/reconfigurations', { request: toBeta })).body).toMatchObject({
      code: 'LOGICAL_HOST_STUCK',
      details: ['/ha1 (umount /ha1)'],
    })
    world.answer = () => undefined
    expect((await world.submit({ kind: 'clear', logicalHost: 'ha1' })).at(-1)).toMatchObject({ outcome: 'reached' })
  })

  it('can be read afterwards, as often as one likes', async () => {
    const events = await world.submit(toBeta)
    const number = events[0]?.kind === 'plan' ? events[0].reconfiguration : 0
    expect(shorten(await world.follow(number)).at(-1)).toBe('end: reached')
  })

  it('ends with a last line when clustd stops', async () => {
    world.stepMs = 3_600_000
    const { body } = await world.post('/v1/reconfigurations', { request: toBeta })
    const following = world.app.inject({ url: `/v1/reconfigurations/${body.reconfiguration}/follow` })
    await world.clock.pass(1_000)
    await world.finish(world.app.close())
    const { payload } = await world.finish(following)
    expect(payload.trim().split('\n').at(-1)).toContain('"outcome":"unknown"')
  })
})
