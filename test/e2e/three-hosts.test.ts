import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LaneJson } from '../../src/framework/api/wire.ts'
import { eventually } from '../eventually.ts'
import { expectWhole, lastReconfiguration, type Whole } from './lab/expect-whole.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { type Rig, startRig } from './lab/rig.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`

describe.skipIf(missing !== undefined)(`three hosts, four logical hosts on xfs${why}`, () => {
  let rig: Rig
  let h1: LabHost
  let h2: LabHost
  let after: number
  const outages: string[] = []

  beforeAll(async () => {
    rig = await startRig({ name: 'three', hosts: ['h1', 'h2', 'h3'], type: 'xfs', others: ['w1', 'w2', 'w3'] })
    h1 = rig.lab.host('h1')
    h2 = rig.lab.host('h2')
  })
  beforeEach(async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(rig.lab)))
    after = await rig.begin()
  })
  afterAll(async () => {
    await rig?.stop()
    console.log(`outages that the client saw, three hosts:\n${outages.join('\n')}`)
  })

  /** All logical hosts at one host, or as given; and all as it should be. What follows is another deed. */
  async function whole(
    master: string,
    options: { readonly failed?: readonly string[]; readonly elsewhere?: Readonly<Record<string, string>> } = {},
  ): Promise<Whole> {
    const { lab, guests, writer } = rig
    const masters = { ...Object.fromEntries(guests.map(({ name }) => [name, master])), ...options.elsewhere }
    const { failed = [] } = options
    const seen = await expectWhole(lab, { guests, writer, masters, after, failed })
    outages.push(`  ${seen.client?.outageMs} ms: ${expect.getState().currentTestName}, ${masters['pg1']}`)
    after = await lastReconfiguration(lab)
    writer.begin()
    return seen
  }

  it('moves all logical hosts of a host at the same time', async () => {
    await h1.haven('scadmin', 'switch', 'e2e', 'h2', 'pg1', 'w1', 'w2', 'w3')
    const { timelines } = await whole('h2')
    expect(timelines).toHaveLength(1)
    expect(areSideBySide(timelines[0]?.lanes ?? [])).toBe(true)
  })

  it('spreads over the hosts, and each takes over only what was lost', async () => {
    await h1.haven('haswitch', 'h2', 'w1')
    await h1.haven('haswitch', 'h3', 'w2')
    await whole('h1', { elsewhere: { w1: 'h2', w2: 'h3' } })
    await h1.powerOff()
    const { timelines } = await whole('h2', { elsewhere: { w2: 'h3' } })
    expect(timelines.flatMap(({ lanes }) => lanes.map(({ logicalHost }) => logicalHost)).toSorted()).toEqual([
      'pg1',
      'w3',
    ])
  })

  it('takes over again when the next host loses its power too, and moves back when the first returns', async () => {
    await h1.powerOff()
    await whole('h2')
    await h2.powerOff()
    await whole('h3')
    await h1.boot()
    await h1.haven('scadmin', 'startnode')
    await whole('h1')
  })

  it('is taken over again when the host that takes it on loses its power in the middle of that', async () => {
    const hangs = join(h2.root, 'drill.start-hangs')
    writeFileSync(hangs, '')
    rmSync(join(h2.root, 'drill.calls'), { force: true })
    await h1.powerOff()
    await eventually('a START on h2', 30_000, () => hasCalled(h2, 'START ['))
    await h2.powerOff()
    rmSync(hangs)
    const names = rig.guests.map(({ name }) => name)
    await whole('h3', { failed: names.map((name) => `1 take-on of ${name} on h2: not run`) })
  })

  it('gives everything up when its host leaves, and moves back when that returns', async () => {
    await h1.haven('scadmin', 'stopnode')
    await whole('h2')
    await h1.haven('scadmin', 'startnode')
    await whole('h1')
  })

  it('goes on to the third host when a START fails on the second', async () => {
    const fails = join(h2.root, 'drill.start-fails')
    writeFileSync(fails, '')
    await h1.powerOff()
    const names = rig.guests.map(({ name }) => name)
    const seen = whole('h3', { failed: names.map((name) => `1 take-on of ${name} on h2: failed`) })
    await seen.finally(() => rmSync(fails))
  })
})

/** Whether a method of the drill was called on a host; `what` is the beginning of a line of its list. */
function hasCalled(host: LabHost, what: string): true | undefined {
  const calls = join(host.root, 'drill.calls')
  return existsSync(calls) &&
    readFileSync(calls, 'utf8')
      .split('\n')
      .some((line) => line.startsWith(what))
    ? true
    : undefined
}

/** Whether there is a moment at which all of them are being worked on. */
function areSideBySide(lanes: readonly LaneJson[]): boolean {
  const halves = lanes.map((lane) => lane.halves.filter(({ startedAfterMs }) => startedAfterMs !== null))
  const begins = halves.map((own) => Math.min(...own.map(({ startedAfterMs }) => startedAfterMs ?? 0)))
  const ends = halves.map((own) => Math.max(...own.map((half) => (half.startedAfterMs ?? 0) + (half.durationMs ?? 0))))
  return lanes.length > 1 && Math.max(...begins) < Math.min(...ends)
}
