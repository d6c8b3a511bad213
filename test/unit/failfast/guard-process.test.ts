import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test as plainTest, vi } from 'vitest'
import { readHoldings } from '../../../src/framework/failfast/guard-files.ts'
import type { ProcessIdentity } from '../../../src/framework/failfast/guard-orders.ts'
import { readGuardReports } from '../../../src/framework/failfast/guard-reports.ts'
import { eventually } from '../../eventually.ts'
import { type Acting, bundlePrograms, GuardedHost, identityOf, type Programs, WITHIN_MS } from './guarded-host.ts'

/** For tests in which the guard is to fire: soon, with time enough for methods on a busy machine. */
const soon = { stampMs: 100, guardMs: 3000, abortMs: 8000, marginMs: 500 }
/** For tests in which it is not to fire, however busy the machine is. */
const late = { stampMs: 100, guardMs: 60_000, abortMs: 1000, marginMs: 2000 }

const nothing = { daemon: false, address: false, diskGroup: false, mounted: false }
const everything = { daemon: true, address: true, diskGroup: true, mounted: true }
const started = 'START [ha1|] clustd=alive address=down data=there'

let programs: Programs
beforeAll(async () => {
  programs = await bundlePrograms()
})
afterAll(() => rm(programs.directory, { recursive: true, force: true }))

// Three programs are started in each, on a machine that does other things as well.
vi.setConfig({ testTimeout: 60_000 })

const test = plainTest.extend<{ host: GuardedHost }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures are needed.
  host: async ({}, use) => {
    const host = await GuardedHost.create(programs)
    await use(host)
    await host.remove()
  },
})

/** The guard may end the acting clustd before it can answer. */
function ended(): void {}

/** Waits for the end of the guard's work and returns its report. */
async function reportOf(host: GuardedHost, guard: ProcessIdentity) {
  await host.gone('the guard', guard)
  const reports = await readGuardReports(host.root)
  expect(reports).toHaveLength(1)
  return reports[0]
}

describe.concurrent('the guard stops everything, clustd first', () => {
  const waysToGo: readonly [string, (clustd: Acting) => unknown, RegExp, RegExp][] = [
    ['clustd stops extending', ({ ask }) => ask({ kind: 'stop-extending' }), /deadline passed/, /clustd .* killed/],
    ['clustd is stopped by a signal', ({ child }) => child.kill('SIGSTOP'), /deadline passed/, /clustd .* killed/],
    ['clustd is killed', ({ child }) => child.kill('SIGKILL'), /deadline passed/, /clustd had ended before/],
    [
      'clustd asks for it',
      ({ ask }) => ask({ kind: 'fire', why: 'evicted' }).catch(ended),
      /^evicted$/,
      /clustd .* killed/,
    ],
  ]
  test.for(waysToGo)('when %s', async ([, go, why, clustdEnds], { host }) => {
    const clustd = await host.startMaster(soon)
    expect(host.present()).toEqual(everything)
    const guard = await host.guard()
    await go(clustd)
    const report = await reportOf(host, guard)
    await host.gone('clustd', clustd.identity)
    expect(host.journal()).toEqual([
      started,
      'ABORT_NET [|ha1,ha2] clustd=dead address=up data=there',
      'ABORT [|ha1,ha2] clustd=dead address=down data=there',
    ])
    expect(host.present()).toEqual(nothing)
    expect(report?.why).toMatch(why)
    expect(report?.leftovers).toEqual([])
    expect(report?.stopped.map((line) => line.replace(/^\+\d+ ms /, ''))).toEqual([
      expect.stringMatching(clustdEnds),
      'ha1: ABORT_NET of web succeeded',
      'ha1: address 127.7.7.7 down',
      'ha1: ABORT of web succeeded',
      'ha1: processes killed',
      'ha1: disk group dg1 exported',
    ])
    expect(await readHoldings(host.places)).toEqual([])
  })

  test('with an ABORT that hangs', async ({ host }) => {
    const clustd = await host.startMaster({ ...soon, abortMs: 1500 })
    await host.makeAbortHang()
    const guard = await host.guard()
    clustd.child.kill('SIGSTOP')
    const report = await reportOf(host, guard)
    expect(host.present()).toEqual(nothing)
    expect(report?.leftovers).toEqual([])
    expect(report?.stopped).toContainEqual(expect.stringMatching(/ABORT of web was not done in time/))
  })

  test('with what it had under way', async ({ host }) => {
    const clustd = await host.startMaster(soon)
    const command = identityOf(Number(await clustd.ask({ kind: 'start-command' })))
    const guard = await host.guard()
    clustd.child.kill('SIGSTOP')
    const report = await reportOf(host, guard)
    await host.gone('the command', command)
    expect(report?.stopped).toContainEqual(expect.stringMatching(`process ${command.pid} sleep of clustd killed`))
  })

  test('with a disk that does not answer: what it knows is in memory', async ({ host }) => {
    const clustd = await host.startMaster(soon)
    const guard = await host.guard()
    const { write } = (await host.orders()) ?? { write: Number.NaN }
    await eventually('the guard to know what is held', WITHIN_MS, async () =>
      ((await host.ack())?.sawWrite ?? 0) >= write ? true : undefined,
    )
    // Whoever opens a pipe waits until somebody writes into it.
    const deadFile = join(host.places.holdings, 'ha9')
    await promisify(execFile)('mkfifo', [deadFile])
    clustd.child.kill('SIGKILL')
    await eventually('everything to be stopped', WITHIN_MS, async (saw) => {
      saw(host.present())
      return Object.values(host.present()).includes(true) ? undefined : true
    })
    await writeFile(deadFile, '')
    expect((await reportOf(host, guard))?.leftovers).toEqual([])
  })

  test('and reboots the machine where that is configured', async ({ host }) => {
    const file = join(host.root, 'rebooted')
    const clustd = await host.startMaster(soon, [
      '/bin/sh',
      '-c',
      `{ ls -d '${host.root}/ha1'; echo over; } >>'${file}'`,
    ])
    const guard = await host.guard()
    clustd.child.kill('SIGKILL')
    await reportOf(host, guard)
    expect(host.present()).toEqual(nothing)
    // It waits for nobody, least of all for the command.
    const said = await eventually('the command to have run', WITHIN_MS, (saw) => {
      const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
      saw(text)
      return text.endsWith('over\n') ? text : undefined
    })
    // The mount point was gone when it was rebooted.
    expect(said).toBe('over\n')
  })

  test('also when it was told of the holding only a moment before', async ({ host }) => {
    const clustd = await host.startMaster(soon)
    const guard = await host.guard()
    const holding = { ...host.holding(), generation: 2 }
    await clustd.ask({ kind: 'hold', holdings: [holding] })
    clustd.child.kill('SIGKILL')
    await reportOf(host, guard)
    expect(host.present()).toEqual(nothing)
  })
})

describe.concurrent('nothing happens', () => {
  test('when clustd is killed and comes back in time: it carries the life on with the same guard', async ({ host }) => {
    const first = await host.startMaster(late)
    await first.ask({ kind: 'live', incarnation: 7 })
    const guard = await host.guard()
    first.child.kill('SIGKILL')
    await host.gone('clustd', first.identity)
    const second = host.start(late)
    expect(await second.ask({ kind: 'former-life' })).toMatchObject({ kind: 'watching', incarnation: 7 })
    await second.ask({ kind: 'arm' })
    expect(await host.guard()).toEqual(guard)
    expect(await host.orders()).toMatchObject({ state: 'armed', incarnation: 7, clustd: second.identity })
    expect(host.present()).toEqual(everything)
    expect(host.journal()).toEqual([started])
  })

  test('after it was disarmed, which is final', async ({ host }) => {
    const clustd = await host.startMaster(late)
    const guard = await host.guard()
    await clustd.ask({ kind: 'disarm' })
    await host.gone('the guard', guard)
    await expect(clustd.ask({ kind: 'extend' })).rejects.toMatchObject({ code: 'GUARD_LOST' })
    await clustd.ask({ kind: 'disarm' })
    expect(host.present()).toEqual(everything)
    expect(host.journal()).toEqual([started])
    await expect(clustd.ask({ kind: 'fire', why: 'too late' })).rejects.toMatchObject({ code: 'GUARD_LOST' })
    clustd.child.kill('SIGKILL')
    await host.gone('clustd', clustd.identity)
    expect(await host.start(late).ask({ kind: 'former-life' })).toEqual({ kind: 'none' })
  })

  test('on TERM, INT and HUP while it is armed', async ({ host }) => {
    await host.startMaster(late)
    const guard = await host.guard()
    const write = (await host.ack())?.sawWrite ?? 0
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(guard.pid, signal)
    await eventually('the guard to obey later orders', WITHIN_MS, async () => {
      process.kill(guard.pid, 'SIGUSR2')
      return ((await host.ack())?.sawWrite ?? 0) > write + 2 ? true : undefined
    })
    expect(host.present()).toEqual(everything)
  })
})

describe.concurrent('a guard that is of no use is replaced', () => {
  test.for(['SIGKILL', 'SIGSTOP'] as const)('after %s', async (signal, { host }) => {
    const clustd = await host.startMaster(late)
    const first = await host.guard()
    process.kill(first.pid, signal)
    await host.gone('the first guard', first)
    const second = await eventually('another guard to be in charge', WITHIN_MS, async () => {
      const { pid } = await host.guard()
      return pid === first.pid ? undefined : host.guard()
    })
    expect(host.present()).toEqual(everything)
    await clustd.ask({ kind: 'fire', why: 'to see it work' }).catch(ended)
    await reportOf(host, second)
    expect(host.present()).toEqual(nothing)
  })
})

describe.concurrent('a new life', () => {
  test('is refused while clustd of the former one lives', async ({ host }) => {
    await host.startMaster(late)
    const second = host.start(late)
    for (const kind of ['former-life', 'arm', 'abort-remains'] as const) {
      await expect(second.ask({ kind })).rejects.toMatchObject({ code: 'CLUSTD_RUNNING' })
    }
    expect(host.present()).toEqual(everything)
  })

  test.for([
    ['its guard still watches', false],
    ['its guard is gone', true],
  ] as const)('stops what the former one held, when %s', async ([, isGuardGone], { host }) => {
    const first = await host.startMaster(late)
    const guard = await host.guard()
    if (isGuardGone) await host.losePower(first, guard)
    else first.child.kill('SIGKILL')
    await host.gone('clustd', first.identity)
    const second = host.start(late)
    expect(await second.ask({ kind: 'former-life' })).toMatchObject({ kind: isGuardGone ? 'ended' : 'watching' })
    expect(await second.ask({ kind: 'abort-remains' })).toEqual([])
    expect(host.present()).toEqual(nothing)
    expect(await readHoldings(host.places)).toEqual([])
    expect(await second.ask({ kind: 'former-life' })).toMatchObject({ kind: 'ended' })
    expect(await second.ask({ kind: 'abort-remains' })).toEqual([])
    await second.ask({ kind: 'arm' })
    await host.gone('the former guard', guard)
    expect(await host.guard()).not.toEqual(guard)
  })

  test('calls no method where another host has the disk group now', async ({ host }) => {
    const first = await host.startMaster(late)
    const guard = await host.guard()
    await host.losePower(first, guard)
    await host.takeDiskGroupOver('beta')
    const second = host.start(late)
    expect(await second.ask({ kind: 'abort-remains' })).toEqual([])
    // The link had outlived the power cut, and led to what is beta's.
    expect(host.present()).toEqual(nothing)
    expect(host.journal().filter((line) => line.startsWith('ABORT'))).toEqual([])
    expect(await host.diskGroupOwner()).toBe('beta')
  })

  test('is armed with the guard that was prepared for it', async ({ host }) => {
    const clustd = host.start(late)
    await clustd.ask({ kind: 'prepare' })
    const guard = await host.guard()
    expect(await host.orders()).toMatchObject({ state: 'idle' })
    await expect(clustd.ask({ kind: 'extend' })).rejects.toMatchObject({ code: 'GUARD_LOST' })
    await clustd.ask({ kind: 'arm' })
    expect(await host.guard()).toEqual(guard)
    expect(await host.orders()).toMatchObject({ state: 'armed' })
  })

  test('leaves no guard behind that was prepared and never armed', async ({ host }) => {
    const clustd = host.start(late)
    await clustd.ask({ kind: 'prepare' })
    const guard = await host.guard()
    clustd.child.kill('SIGKILL')
    await host.gone('the guard', guard)
    expect(await host.start(late).ask({ kind: 'former-life' })).toEqual({ kind: 'none' })
  })

  test('begins with nothing', async ({ host }) => {
    const clustd = host.start(late)
    expect(await clustd.ask({ kind: 'former-life' })).toEqual({ kind: 'none' })
    expect(await clustd.ask({ kind: 'abort-remains' })).toEqual([])
    await expect(clustd.ask({ kind: 'extend' })).rejects.toMatchObject({ code: 'GUARD_LOST' })
  })
})
