import { beforeEach, describe, expect, it } from 'vitest'
import { LOOK_EVERY_MS } from '../../../src/framework/daemon/program-watch.ts'
import { MISSING_PROGRAMS_MAX } from '../../../src/framework/model/missing-programs.ts'
import type { DataServiceName } from '../../../src/framework/model/names.ts'
import { logicalHostChanges, physical, SmallWorld, serviceChange } from './small-world.ts'

const METHOD = '/opt/web/method'
let world: SmallWorld

beforeEach(async () => {
  world = new SmallWorld()
  await world.start('alpha', 'found')
  await world.start('beta')
  await world.clock.pass(500)
})

function services(name = 'alpha') {
  const host = world.hosts.get(name)
  if (host === undefined) throw new Error(`there is no ${name}`)
  return host.loop.services
}

/** What alpha knows, `beta: /opt/web/method`. */
function known(): readonly string[] {
  return [...services().missingPrograms()].map(([host, programs]) => `${host}: ${programs.join(' ')}`).toSorted()
}

async function configureWeb(): Promise<void> {
  const changes = [...logicalHostChanges('ha1', ['alpha', 'beta']), serviceChange('web', ['ha1'])]
  await world.finish(services().configure(() => changes))
  await world.clock.pass(500)
}

const recordOf = async (host: string) => {
  const { records } = await world.finish(services().snapshot())
  return records.get(`programs/${host}`)
}

describe('the watch over programs', () => {
  it('tells everybody at once what is missing when a service is registered, and that it was mended later', async () => {
    world.missing.add(`beta ${METHOD}`)
    await configureWeb()
    expect(known()).toEqual([`beta: ${METHOD}`])
    world.missing.clear()
    await world.clock.pass(LOOK_EVERY_MS)
    expect(known()).toEqual([])
    expect(await recordOf('beta')).toBeUndefined()
  })

  it('notices what goes missing later, and writes only when something has changed', async () => {
    await configureWeb()
    expect(known()).toEqual([])
    world.missing.add(`alpha ${METHOD}`)
    await world.clock.pass(LOOK_EVERY_MS)
    const first = await recordOf('alpha')
    expect(first?.value).toEqual({ schema: 1, host: 'alpha', programs: [METHOD] })
    await world.clock.pass(3 * LOOK_EVERY_MS)
    expect((await recordOf('alpha'))?.revision).toBe(first?.revision)
  })

  it('forgets what was unregistered', async () => {
    world.missing.add(`beta ${METHOD}`)
    await configureWeb()
    const off = { kind: 'services-off', services: ['web' as DataServiceName], by: '' } as const
    await world.finish(services().submit(off, { busyWaitMs: 10_000 }))
    await world.clock.pass(1_000)
    expect(known()).toEqual([`beta: ${METHOD}`])
    await world.finish(services().configure(() => [{ kind: 'delete-data-service', name: off.services[0] }]))
    await world.clock.pass(500)
    expect(known()).toEqual([])
  })

  it('keeps no more than the limit', async () => {
    const many = Array.from({ length: MISSING_PROGRAMS_MAX + 1 }, (_, index) => serviceChange(`s${index}`, ['ha1']))
    for (let index = 0; index < many.length; index += 1) world.missing.add(`beta /opt/s${index}/method`)
    const changes = [...logicalHostChanges('ha1', ['alpha', 'beta']), ...many]
    await world.finish(services().configure(() => changes))
    await world.clock.pass(1_000)
    expect(services().missingPrograms().get(physical('beta'))).toHaveLength(MISSING_PROGRAMS_MAX)
  })

  it('takes the record of a host away that leaves, and of one that is lost', async () => {
    for (const end of ['leave', 'stop'] as const) {
      world.missing.add(`beta ${METHOD}`)
      await configureWeb()
      expect(known()).toEqual([`beta: ${METHOD}`])
      const { loop } = world.hosts.get('beta') ?? world.host('beta')
      await world.finish<unknown>(end === 'leave' ? loop.leave('anna') : loop.stop())
      await world.clock.passUntil('beta to be gone', 30_000, () => !services().state().members.has(physical('beta')))
      expect(known()).toEqual([])
      expect(await recordOf('beta')).toBeUndefined()
      await world.start('beta')
    }
  })
})
