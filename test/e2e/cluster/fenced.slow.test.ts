import { expect, it } from 'vitest'
import { describeCluster } from '../lab/cluster-story.ts'
import { pidOf } from '../lab/host-view.ts'
import { networksAre } from '../lab/passing.ts'

const LOST = ['hosts-lost']

describeCluster('three hosts on etcd with fence devices', { name: 'fenced', fence: true }, (story) => {
  /** Expects that h1 was fenced, that the timeline says so, and that nothing of it is left that could write or answer. */
  async function isTakenOverFromByFence(): Promise<void> {
    const { timelines } = await story.whole({ pg1: 'h2', web: 'h2' }, LOST)
    const [timeline] = timelines
    expect(timeline?.cause.sentence).toMatch(/^h1 lost: fenced by bmc after \d\.\d\d s$/)
    expect(timeline?.silences).toMatchObject([{ host: 'h1', isFenced: true }])
    expect(timeline?.lanes.map(({ because }) => because)).toEqual([expect.stringMatching(/^taken over by h2/)])
    expect(story.host('h1').isOn).toBe(false)
  }

  /** Who is not heard yet is not suspected so soon. */
  const hearEachOther = (): Promise<void> =>
    networksAre([...story.rig().lab.hosts.values()], { priv1: 'up', priv2: 'up' })

  it('switches off a master that stands still as a whole, and takes over what it had; then it comes back', async () => {
    await hearEachOther()
    await story.host('h1').freeze()
    await isTakenOverFromByFence()
    await story.host('h1').boot()
    await story.host('h1').heal()
    await story.rig().etcd.start()
    await story.host('h1').haven('scadmin', 'startnode')
    await story.whole(story.rig().atHome, ['host-joined'])
  })

  it('does so when that master leads etcd', async () => {
    await story.rig().etcd.lead(story.host('h1'))
    await hearEachOther()
    await story.host('h1').freeze()
    await isTakenOverFromByFence()
  })

  it('does so when only clustd and its guard stand still, and the services go on', async () => {
    const h1 = story.host('h1')
    await hearEachOther()
    const daemons = [await pidOf(h1, 'failfastd'), await pidOf(h1, 'clustd')].map(String)
    await h1.exec('kill', '-STOP', ...daemons)
    await isTakenOverFromByFence()
  })
})
