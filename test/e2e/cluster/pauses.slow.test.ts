import { expect, it } from 'vitest'
import { eventually } from '../../eventually.ts'
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

  it('moves nothing when a host that masters nothing is paused for long, and lets it join again when it goes on', () =>
    story.nothingMoves(async () => {
      const h3 = story.host('h3')
      await h3.freeze()
      await eventually('h3 to be given up', 30_000, async () => {
        const { physicalHosts } = await story.host('h1').api().status()
        return physicalHosts.some(({ name, membership }) => name === 'h3' && membership !== 'member') ? true : undefined
      })
      await h3.thaw()
      await eventually('the guard of h3 to end it', 30_000, async () =>
        (await pidOf(h3, 'clustd')) === undefined ? true : undefined,
      )
      await h3.haven('scadmin', 'startnode')
    }, ['hosts-lost', 'host-joined']))

  it('moves nothing when clustd stands still for a second', async () => {
    await story.nothingMoves(async () => {
      const h1 = story.host('h1')
      await h1.exec(
        'sh',
        '-c',
        `kill -STOP ${await pidOf(h1, 'clustd')}; sleep 1; kill -CONT ${await pidOf(h1, 'clustd')}`,
      )
      await h1.exec('sleep', '6')
    })
  })
})
