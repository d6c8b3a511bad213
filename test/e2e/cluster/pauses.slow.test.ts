import { expect, it } from 'vitest'
import { describeCluster } from '../lab/cluster-story.ts'
import { pidOf } from '../lab/host-view.ts'

describeCluster('three hosts on etcd that stand still', { name: 'pauses' }, (story) => {
  it('takes over from a host whose clustd stands still for longer than its guard waits, which then ends it', async () => {
    const h1 = story.host('h1')
    const pid = await pidOf(h1, 'clustd')
    await h1.exec('kill', '-STOP', String(pid))
    await story.whole({ pg1: 'h2', web: 'h2' }, ['hosts-lost'])
    // After a minute there is nothing left that could go on.
    await h1.try('kill', '-CONT', String(pid))
    expect(await pidOf(h1, 'clustd')).toBeUndefined()
  })

  it('moves nothing when a host that masters nothing is paused, and lets it join again', async () => {
    await story.host('h3').freeze()
    await story.whole({ pg1: 'h1', web: 'h2' }, ['hosts-lost'])
    await story.host('h3').thaw()
    await story.host('h3').tryHaven('scadmin', 'startnode')
    await story.whole({ pg1: 'h1', web: 'h2' }, [])
  })
})
