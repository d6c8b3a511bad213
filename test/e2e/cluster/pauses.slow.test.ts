import { expect, it } from 'vitest'
import { eventually } from '../../eventually.ts'
import { describeCluster, type Story } from '../lab/cluster-story.ts'
import { lookAtHost, pidOf } from '../lab/host-view.ts'
import type { LabHost } from '../lab/lab-host.ts'
import { marksOf } from '../lab/marking.ts'
import { stampsGoOn, writtenFor } from '../lab/passing.ts'
import { readMarks, type WriterLife } from '../lab/storage-referee.ts'

const LOST = ['hosts-lost']
const MINUTE_MS = 60_000
/** A guard needs some tenths of a second for what it does when it wakes; this is for a slow and busy machine. */
const LET_GO_MS = 30_000

describeCluster('three hosts on etcd that stand still', { name: 'pauses', box: true }, (story) => {
  it('moves nothing when clustd stands still for a second', () =>
    story.nothingMoves(async () => {
      const { lab, guests } = story.rig()
      const h1 = story.host('h1')
      const pid = String(await pidOf(h1, 'clustd'))
      await h1.exec('kill', '-STOP', pid)
      await writtenFor(lab, { guests, ms: 1_000 })
      await h1.exec('kill', '-CONT', pid)
      await stampsGoOn(lab)
    }))

  // One minute for both: each is taken over from by itself, and woken by itself.
  it('lets go what a clustd had that stands still for a minute, and what a machine had that does and has no fence: that begins nothing when it wakes', async () => {
    const { lab, guests, violations, judgeAnew } = story.rig()
    const pid = await clustdStandsStill(story)
    const frozenNs = await machineStandsStill(story)
    await writtenFor(lab, { guests, ms: MINUTE_MS })
    expect(violations(), 'while they stand still').toEqual([])

    await story.host('h1').try('kill', '-CONT', pid)
    expect(await pidOf(story.host('h1'), 'clustd'), 'its guard has ended it').toBeUndefined()
    const letGoNs = await machineGoesOn(story, frozenNs)

    judgeAnew()
    await stampsGoOn(lab)
    await story.whole(ALL_ON_H2, [])
    expect(writersAfter(story, letGoNs).map(({ host }) => host)).toEqual(['h2'])
    await theyComeBack(story)
  })
})

const ALL_ON_H2 = { pg1: 'h2', web: 'h2', box: 'h2' }

/** Returns the pid of the clustd of h1, which stands still. */
async function clustdStandsStill(story: Story): Promise<string> {
  const pid = String(await pidOf(story.host('h1'), 'clustd'))
  await story.host('h1').exec('kill', '-STOP', pid)
  const { timelines } = await story.whole({ pg1: 'h2', web: 'h2', box: 'h3' }, LOST)
  expect(timelines[0]?.cause.sentence).toMatch(/^h1 lost: no sign of life for/)
  return pid
}

/** Returns when h3 stood still, as a whole. */
async function machineStandsStill(story: Story): Promise<bigint> {
  await story.host('h3').freeze()
  const frozenNs = process.hrtime.bigint()
  const { timelines } = await story.whole(ALL_ON_H2, LOST)
  expect(timelines[0]?.cause.sentence).toMatch(/^h3 lost: no sign of life for/)
  return frozenNs
}

/** Wakes h3, and returns when it has let go. Nothing keeps a machine without a power switch and a reserved disk from what it does before its guard is there. */
async function machineGoesOn(story: Story, frozenNs: bigint): Promise<bigint> {
  const h3 = story.host('h3')
  const methods = await methodsOf(h3)
  const wokenNs = process.hrtime.bigint()
  await h3.thaw()
  await hasLetGo(h3)
  const letGoNs = process.hrtime.bigint()
  const strays = writersAfter(story, wokenNs).filter(({ host }) => host === 'h3')
  expect(strays.filter(({ first }) => first > frozenNs)).toEqual([])
  const others = story
    .rig()
    .violations()
    .filter((one) => !BY_H3.test(one))
  expect(others).toEqual([])
  expect((await methodsOf(h3)).filter((call) => !methods.includes(call) && !/ABORT/.test(call))).toEqual([])
  tellOfTheMoment(story, { wokenNs, strays })
  return letGoNs
}

const BY_H3 = /^box: h2 began to write .* before h3 |^10\.77\.0\.103: machines 02 and 03 /

async function theyComeBack(story: Story): Promise<void> {
  for (const name of ['h1', 'h3'] as const) await story.host(name).haven('scadmin', 'startnode')
  await story.whole(story.rig().atHome, ['host-joined', 'host-joined'])
  const [report] = (await story.host('h3').api().status()).guardReports
  expect(report).toMatchObject({ why: expect.stringMatching(/^the deadline passed \d{5} ms ago/), leftovers: [] })
  // First what could begin anything.
  expect(report?.stopped[0]).toMatch(/^clustd \(process \d+\) killed$/)
}

/** Waits until the guard of a host has ended everything there. */
async function hasLetGo(host: LabHost): Promise<void> {
  await eventually(`the guard of ${host.name} to have ended everything`, LET_GO_MS, async (saw) => {
    const { addresses, links, processes } = await lookAtHost(host)
    const daemons = [await pidOf(host, 'clustd'), await pidOf(host, 'failfastd')]
    saw({ addresses, links, processes, daemons })
    const isLeft = [...addresses, ...links, ...processes, ...daemons].some((one) => one !== undefined)
    return isLeft ? undefined : true
  })
}

/** Who wrote to the disk of `box` after a moment. */
function writersAfter(story: Story, momentNs: bigint): readonly WriterLife[] {
  return readMarks(marksOf(story.rig().lab, 'box')).filter(({ last }) => last > momentNs)
}

/** For people: how long a machine that woke went on, as it was seen from outside. */
function tellOfTheMoment(
  story: Story,
  { wokenNs, strays }: { readonly wokenNs: bigint; readonly strays: readonly WriterLife[] },
): void {
  const wokenMs = Number(wokenNs / 1_000_000n)
  const number = story.host('h3').hardwareAddress.slice(-2)
  const answers = story.rig().arp.claims.filter(({ atMs, hardware }) => atMs > wokenMs && hardware.endsWith(number))
  const wroteMs = Math.max(0, ...strays.map(({ last }) => Number(last - wokenNs) / 1e6))
  const answeredMs = Math.max(0, ...answers.map(({ atMs }) => atMs - wokenMs))
  story.tell(`the woken machine wrote for ${wroteMs.toFixed(0)} ms, and answered for ${answeredMs} ms`)
}

async function methodsOf(host: LabHost): Promise<readonly string[]> {
  const list = await host.exec('find', `${host.root}/var/log`, '-path', '*/methods/*', '-type', 'f')
  return list.split('\n').filter((line) => line !== '')
}
