import { expect, it } from 'vitest'
import { eventually } from '../../eventually.ts'
import { describeCluster, type Story } from '../lab/cluster-story.ts'
import { lookAtHost, pidOf } from '../lab/host-view.ts'
import { marksOf } from '../lab/marking.ts'
import { stampsGoOn, writtenFor } from '../lab/passing.ts'
import { readMarks, type WriterLife } from '../lab/storage-referee.ts'

const LOST = ['hosts-lost']
const MINUTE_MS = 60_000
/** A guard needs some tenths of a second for what it does when it wakes; this is for a slow and busy machine. */
const LET_GO_MS = 30_000

describeCluster('three hosts on etcd that stand still', { name: 'pauses', box: true }, (story) => {
  daemonsStandStill(story)
  machinesStandStill(story)
})

function daemonsStandStill(story: Story): void {
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

  it('takes over from a host whose clustd stands still for a minute: its guard ends it, and there is nothing left to wake', async () => {
    const { lab, guests, violations } = story.rig()
    const h1 = story.host('h1')
    const pid = String(await pidOf(h1, 'clustd'))
    await h1.exec('kill', '-STOP', pid)
    const masters = { pg1: 'h2', web: 'h2', box: 'h3' }
    const { timelines } = await story.whole(masters, LOST)
    expect(timelines[0]?.cause.sentence).toMatch(/^h1 lost: no sign of life for/)
    await writtenFor(lab, { guests, ms: MINUTE_MS })
    await h1.try('kill', '-CONT', pid)
    expect(await pidOf(h1, 'clustd')).toBeUndefined()
    await stampsGoOn(lab)
    await story.whole(masters, [])
    expect(violations()).toEqual([])
  })
}

function machinesStandStill(story: Story): void {
  /** Waits until the guard of a host has ended everything there. */
  async function hasLetGo(): Promise<void> {
    const h3 = story.host('h3')
    await eventually('the guard of h3 to have ended everything', LET_GO_MS, async (saw) => {
      const { addresses, links, processes } = await lookAtHost(h3)
      const daemons = [await pidOf(h3, 'clustd'), await pidOf(h3, 'failfastd')]
      saw({ addresses, links, processes, daemons })
      const isLeft = [...addresses, ...links, ...processes, ...daemons].some((one) => one !== undefined)
      return isLeft ? undefined : true
    })
  }

  /** Who wrote to the disk of `box` after a moment. */
  function writersAfter(momentNs: bigint): readonly WriterLife[] {
    return readMarks(marksOf(story.rig().lab, 'box')).filter(({ last }) => last > momentNs)
  }

  it('stops at once what a machine without a fence had when it goes on after a minute, and begins nothing new', async () => {
    const { lab, guests, violations, judgeAnew } = story.rig()
    const h3 = story.host('h3')
    await h3.freeze()
    const frozenNs = process.hrtime.bigint()
    const masters = { pg1: 'h1', web: 'h2', box: 'h1' }
    await story.whole(masters, LOST)
    await writtenFor(lab, { guests, ms: MINUTE_MS })
    expect(violations(), 'while it stands still').toEqual([])
    const methods = await methodsOf(story)

    const wokenNs = process.hrtime.bigint()
    await h3.thaw()
    await hasLetGo()
    const letGoNs = process.hrtime.bigint()
    // Nothing keeps a machine without a power switch and a reserved disk from what it does before its guard is there.
    const strays = writersAfter(wokenNs).filter(({ host }) => host === 'h3')
    expect(strays.filter(({ first }) => first > frozenNs)).toEqual([])
    expect(
      violations().filter((one) => !/^box: h1 .* before h3 |^10\.77\.0\.103: machines 01 and 03 /.test(one)),
    ).toEqual([])
    expect((await methodsOf(story)).filter((call) => !methods.includes(call) && !/ABORT/.test(call))).toEqual([])
    tellOfTheMoment(story, { wokenNs, strays })

    judgeAnew()
    await stampsGoOn(lab)
    await story.whole(masters, [])
    expect(writersAfter(letGoNs).map(({ host }) => host)).toEqual(['h1'])
    await h3.haven('scadmin', 'startnode')
    await story.whole(story.rig().atHome, ['host-joined'])
    const [report] = (await h3.api().status()).guardReports
    expect(report).toMatchObject({ why: expect.stringMatching(/^the deadline passed \d{5} ms ago/), leftovers: [] })
    // First what could begin anything.
    expect(report?.stopped[0]).toMatch(/^clustd \(process \d+\) killed$/)
  })
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

async function methodsOf(story: Story): Promise<readonly string[]> {
  const h3 = story.host('h3')
  const list = await h3.exec('find', `${h3.root}/var/log`, '-path', '*/methods/*', '-type', 'f')
  return list.split('\n').filter((line) => line !== '')
}
