import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { settled } from './lab/cluster.ts'
import { expectWhole, lastReconfiguration, type Whole } from './lab/expect-whole.ts'
import { guardOrders, lookAtHost, pidOf } from './lab/host-view.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { type Rig, startRig } from './lab/rig.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`

describe.skipIf(missing !== undefined)(`two hosts, PostgreSQL on ext4${why}`, () => {
  let rig: Rig
  let h1: LabHost
  let h2: LabHost
  let after: number
  const outages: string[] = []

  beforeAll(async () => {
    rig = await startRig({ name: 'two', hosts: ['h1', 'h2'], type: 'ext4', others: [] })
    h1 = rig.lab.host('h1')
    h2 = rig.lab.host('h2')
  })
  beforeEach(async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(rig.lab)))
    after = await rig.begin()
  })
  afterAll(async () => {
    await rig?.stop()
    console.log(`outages that the client saw, two hosts:\n${outages.join('\n')}`)
  })

  /** Everything at the host, and all as it should be. */
  async function whole(master: string, options: { readonly failed?: readonly string[] } = {}): Promise<Whole> {
    const { lab, guests, writer } = rig
    const seen = await expectWhole(lab, { guests, writer, masters: { pg1: master }, after, ...options })
    outages.push(`  ${seen.client?.outageMs} ms: ${expect.getState().currentTestName}, ${master}`)
    return seen
  }

  it('switches over there and back', async () => {
    await h1.haven('haswitch', 'h2', 'pg1')
    await whole('h2')
    after = await lastReconfiguration(rig.lab)
    rig.writer.begin()
    await h2.haven('haswitch', 'h1', 'pg1')
    await whole('h1')
  })

  it('takes over when the whole host loses its power', async () => {
    await h1.powerOff()
    const { timelines } = await whole('h2')
    expect(timelines.map(({ cause }) => cause.kind)).toEqual(['hosts-lost'])
  })

  it('takes over when clustd is stopped, and does not mind when it goes on', async () => {
    const pid = await pidOf(h1, 'clustd')
    await h1.exec('kill', '-STOP', String(pid))
    await whole('h2')
    // The guard has ended it; if it had not, it would go on now.
    await h1.try('kill', '-CONT', String(pid))
    await whole('h2')
    expect(await pidOf(h1, 'clustd')).toBeUndefined()
  })

  it('takes over when clustd is killed and nobody starts it again', async () => {
    await h1.exec('kill', '-KILL', String(await pidOf(h1, 'clustd')))
    await whole('h2')
  })

  it('goes on when clustd is killed and started again in time: nothing moves, nothing is called', async () => {
    // Time enough to start two programs on the slowest machine.
    await setGuardMs(5_000)
    after = await lastReconfiguration(rig.lab)
    const before = await deeds()
    await h1.exec('kill', '-KILL', String(await pidOf(h1, 'clustd')))
    await h1.haven('scadmin', 'startnode')
    await whole('h1')
    expect(await deeds()).toEqual(before)
    await setGuardMs(1_500)
  })

  it('moves although a STOP hangs', async () => {
    const hangs = join(h1.root, 'drill.stop-hangs')
    writeFileSync(hangs, '')
    await h1.haven('haswitch', 'h2', 'pg1')
    rmSync(hangs)
    const { timelines } = await whole('h2')
    const steps = timelines[0]?.lanes[0]?.halves.find(({ kind }) => kind === 'give-up')?.steps ?? []
    const ladder = steps.filter(({ outcome, onLadder }) => onLadder || outcome !== 'done')
    expect(ladder.map(({ sentence, outcome, onLadder }) => ({ sentence, outcome, onLadder }))).toEqual([
      { sentence: 'STOP drill', outcome: 'timed-out', onLadder: false },
      { sentence: 'ABORT drill', outcome: 'timed-out', onLadder: true },
      { sentence: 'end processes of drill', outcome: 'done', onLadder: true },
    ])
  })

  it('comes back when a START fails on the other host', async () => {
    const fails = join(h2.root, 'drill.start-fails')
    writeFileSync(fails, '')
    const { exitCode, stdout } = await h1.tryHaven('haswitch', 'h2', 'pg1')
    rmSync(fails)
    expect(exitCode, stdout).not.toBe(0)
    await whole('h1', { failed: ['1 take-on of pg1 on h2: failed'] })
  })

  it('starts again after all hosts were off', async () => {
    await Promise.all([h1.powerOff(), h2.powerOff()])
    await Promise.all([h1.boot(), h2.boot()])
    await h1.haven('scadmin', 'startcluster', 'h1', 'e2e')
    await h2.haven('scadmin', 'startnode')
    await whole('h1')
  })

  it.each(['KILL', 'STOP'])(
    'replaces its guard when that gets a SIG%s: nothing moves, nothing is called',
    async (signal) => {
      const before = await deeds()
      const guard = await pidOf(h1, 'failfastd')
      await h1.exec('kill', `-${signal}`, String(guard))
      await eventually('another guard', 5_000, async (saw) => {
        const now = await pidOf(h1, 'failfastd')
        saw(now)
        return now !== undefined && now !== guard ? now : undefined
      })
      await whole('h1')
      expect(await deeds()).toEqual(before)
    },
  )

  /** Changes the guard time of the whole cluster; resolves when the guard of h1 goes by it. */
  async function setGuardMs(guardMs: number): Promise<void> {
    await h1.haven('scconf', 'e2e', '--guard-ms', String(guardMs))
    await eventually(`a guard time of ${guardMs} ms`, 30_000, (saw) => {
      const orders = guardOrders(h1)
      saw(orders)
      return orders?.guardMs === guardMs ? true : undefined
    })
  }

  /** What would be different had anything been moved, started, stopped or called. */
  async function deeds(): Promise<unknown> {
    await settled(rig.lab, { pg1: 'h1' })
    const { processes } = await lookAtHost(h1)
    const postmaster = processes.find(({ words }) => words.includes('postgres -D'))
    const drill = processes.find(({ words }) => words === 'drill')
    const calls = await h1.exec('find', join(h1.root, 'var/log/haven/methods'), '-type', 'f')
    return {
      reconfiguration: await lastReconfiguration(rig.lab),
      postmaster: postmaster?.pid,
      drill: drill?.pid,
      calls,
    }
  }
})
