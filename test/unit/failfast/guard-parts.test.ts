import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { composeHands } from '../../../src/framework/failfast/compose-hands.ts'
import { createGuardClient } from '../../../src/framework/failfast/guard-client.ts'
import {
  type GuardPlaces,
  guardPlaces,
  LineFile,
  makeGuardPlaces,
  readHoldings,
} from '../../../src/framework/failfast/guard-files.ts'
import type { GuardAck } from '../../../src/framework/failfast/guard-orders.ts'
import { readGuardReports, writeGuardReport } from '../../../src/framework/failfast/guard-reports.ts'
import { HoldingFiles } from '../../../src/framework/failfast/holding-files.ts'
import { endDaemon } from '../../../src/framework/failfast/kill-daemon.ts'
import { PROFILES } from '../../../src/framework/membership/check-timings.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import type { Guard, Holding } from '../../../src/framework/ports/guard.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { readAllProcesses } from '../../../src/methods/proc.ts'
import { TAG_VARIABLE } from '../../../src/methods/scope-names.ts'
import { eventually } from '../../eventually.ts'
import { identityOf } from './guarded-host.ts'

let root: string
let places: GuardPlaces
const children: ChildProcess[] = []
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'haven-guard-parts-'))
  places = guardPlaces(root)
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(root, { recursive: true, force: true })
})

function holding(name: string, generation = 1): Holding {
  const logicalHost = parseName('logicalHost', name)
  return { logicalHost, generation, reconfiguration: 1, pathPrefix: '', services: [], addresses: [], diskGroups: [] }
}
const names = (holdings: readonly Holding[]) => holdings.map((one) => `${one.logicalHost}:${one.generation}`).sort()

describe('HoldingFiles', () => {
  test('keeps what is held, and removes what is not any more', async () => {
    const files = new HoldingFiles(places)
    await files.hold([holding('ha1'), holding('ha2')])
    expect(names(await readHoldings(places))).toEqual(['ha1:1', 'ha2:1'])
    await files.hold([holding('ha2', 2), holding('ha3')])
    expect(names(await readHoldings(places))).toEqual(['ha2:2', 'ha3:1'])
    await files.hold([])
    expect(await readHoldings(places)).toEqual([])
  })

  test('counts changes only', async () => {
    const files = new HoldingFiles(places)
    const first = await files.hold([holding('ha1')])
    expect(await files.hold([holding('ha1')])).toBe(first)
    expect(await files.hold([holding('ha1', 2)])).not.toBe(first)
  })

  test('removes what a former life left', async () => {
    await new HoldingFiles(places).hold([holding('ha1'), holding('ha2')])
    await new HoldingFiles(places).hold([holding('ha2')])
    expect(names(await readHoldings(places))).toEqual(['ha2:1'])
  })

  test('many calls at once end with the last one', async () => {
    const files = new HoldingFiles(places)
    const all = Array.from({ length: 50 }, (_, index) => holding(`ha${index}`))
    await Promise.all(all.map((_, index) => files.hold(all.slice(0, index + 1))))
    expect(await readHoldings(places)).toHaveLength(50)
  })

  test('says when it cannot, and can again later', async () => {
    const files = new HoldingFiles(places)
    await files.hold([holding('ha1')])
    await rm(places.holdings, { recursive: true })
    await writeFile(places.holdings, 'in the way')
    await expect(files.hold([holding('ha2')])).rejects.toMatchObject({ code: 'GUARD_LOST' })
    await rm(places.holdings)
    await files.hold([holding('ha2')])
    expect(names(await readHoldings(places))).toEqual(['ha2:1'])
  })

  test('a damaged file counts as what it was before', async () => {
    await new HoldingFiles(places).hold([holding('ha1'), holding('ha2')])
    await writeFile(join(places.holdings, 'ha1'), '12345678 {"logicalHost":"ha1"}')
    expect(names(await readHoldings(places, [holding('ha1', 9)]))).toEqual(['ha1:9', 'ha2:1'])
    expect(names(await readHoldings(places))).toEqual(['ha2:1'])
  })
})

describe('reports', () => {
  const report = (firedWallMs: number) => ({ firedWallMs, why: 'test', tookMs: 1, stopped: [], leftovers: [] })

  test('come newest first, and are bounded', async () => {
    for (let at = 1; at <= 25; at += 1) await writeGuardReport(root, report(at * 1000))
    const reports = await readGuardReports(root)
    expect(reports.map(({ firedWallMs }) => firedWallMs)).toEqual(
      Array.from({ length: 20 }, (_, index) => (25 - index) * 1000),
    )
    expect(await readdir(places.reports)).toHaveLength(20)
  })

  test('there are none on a new host, and a damaged one is left out', async () => {
    expect(await readGuardReports(root)).toEqual([])
    await writeGuardReport(root, report(1000))
    await writeFile(join(places.reports, '0000000000002000'), 'rubbish')
    expect(await readGuardReports(root)).toEqual([report(1000)])
  })
})

describe('LineFile', () => {
  test('reads what another one wrote, again and again', async () => {
    await makeGuardPlaces(places)
    const writer = new LineFile<GuardAck>(places.ack)
    const reader = new LineFile<GuardAck>(places.ack)
    expect(await reader.read()).toBeUndefined()
    for (let sawWrite = 1; sawWrite < 4; sawWrite += 1) {
      const ack = { bootId: 'b', guard: { pid: 1, startTicks: 2 }, state: 'watching', lookedMs: 3, sawWrite } as const
      await writer.write(ack)
      expect(await reader.read()).toEqual(ack)
    }
    await Promise.all([writer.close(), reader.close()])
  })
})

describe('endDaemon', () => {
  const effects = createRealEffects()

  function startSleep(env: Readonly<Record<string, string>> = {}): ChildProcess & { readonly pid: number } {
    const child = spawn('sleep', ['3600'], { stdio: 'ignore', env: { ...process.env, ...env } })
    children.push(child)
    if (child.pid === undefined) throw new Error('sleep does not start')
    return child as ChildProcess & { readonly pid: number }
  }

  test('leaves a process alone that only has the pid of clustd', async () => {
    const other = identityOf(startSleep().pid)
    const clustd = { ...other, startTicks: other.startTicks - 1 }
    expect(await endDaemon(clustd, 'no:host', effects)).toEqual(['clustd had ended before'])
    expect(identityOf(other.pid)).toEqual(other)
  })

  test('ends clustd with all that descends from it, and nobody else', async () => {
    const bystander = identityOf(startSleep().pid)
    const clustd = spawn('sh', ['-c', 'sh -c "sleep 3601; true" & sleep 3602; true'], { stdio: 'ignore' })
    children.push(clustd)
    const lines = await eventually('the children to be there', 5000, (saw) => {
      const parents = new Set([clustd.pid])
      const family = readAllProcesses().filter(({ parent, pid }) => parents.has(parent) && parents.add(pid))
      saw(family)
      if (family.length < 3) return undefined
      return endDaemon(identityOf(clustd.pid ?? 0), 'no:host', effects)
    })
    expect(lines[0]).toBe(`clustd (process ${clustd.pid}) killed`)
    expect(lines).toHaveLength(4)
    expect(lines.filter((line) => /sleep of clustd killed$/.test(line))).toHaveLength(2)
    expect(identityOf(bystander.pid)).toEqual(bystander)
  })

  test('finds the commands of a clustd that is dead, and leaves services to their own end', async () => {
    const key = `guard-parts:${process.pid}`
    const command = startSleep({ [TAG_VARIABLE]: `${key}/-/mount` })
    const service = identityOf(startSleep({ [TAG_VARIABLE]: `${key}/ha1/web` }).pid)
    const lines = await eventually('the command to be found', 5000, async (saw) => {
      const found = await endDaemon({ pid: 2 ** 22, startTicks: 1 }, key, effects)
      saw(found)
      return found.length > 1 ? found : undefined
    })
    expect(lines).toEqual(['clustd had ended before', `process ${command.pid} sleep of clustd killed`])
    expect(identityOf(service.pid)).toEqual(service)
  })
})

describe('a guard that cannot be', () => {
  function client(program: string): Guard {
    const effects = createRealEffects()
    const place = { root, cluster: 'c', physicalHost: 'alpha', pathDirectories: [] }
    const hands = composeHands(place, effects)
    const log = { write: () => undefined }
    return createGuardClient({ ...place, program, rebootCommand: [], timings: () => PROFILES.default, hands, log })
  }

  test('because its program ends at once', async () => {
    const guard = client(join(root, 'no-such-program.mjs'))
    await expect(guard.arm(1e12)).rejects.toMatchObject({ code: 'GUARD_LOST' })
    expect(guard.deadlineMs()).toBe(Number.NEGATIVE_INFINITY)
  })

  test('because its files cannot be written', async () => {
    await mkdir(places.orders, { recursive: true })
    const guard = client(join(root, 'no-such-program.mjs'))
    await expect(guard.arm(1e12)).rejects.toMatchObject({ code: 'GUARD_LOST' })
    await expect(guard.extend(1e12)).rejects.toMatchObject({ code: 'GUARD_LOST' })
    await expect(guard.fire('no')).rejects.toMatchObject({ code: 'GUARD_LOST' })
  })

  test('because its directory cannot be made', async () => {
    await writeFile(join(root, 'run'), 'in the way')
    const guard = client(join(root, 'no-such-program.mjs'))
    await expect(guard.hold([holding('ha1')])).rejects.toMatchObject({ code: 'GUARD_LOST' })
    await expect(guard.arm(1e12)).rejects.toMatchObject({ code: 'GUARD_LOST' })
  })
})
