import { it } from 'vitest'
import { describeCluster } from '../lab/cluster-story.ts'

describeCluster('three hosts whose etcd fails', { name: 'etcd', smallDisks: true }, (story) => {
  /** Longer than it takes to give a host up. */
  const lastsLong = (): Promise<unknown> => story.host('h3').exec('sleep', '4')

  it.each(['KILL', 'STOP'] as const)('moves nothing when the leader of etcd gets a SIG%s', (signal) =>
    story.nothingMoves(async () => {
      const { etcd } = story.rig()
      await etcd.lead(story.host('h1'))
      await etcd.signal(story.host('h1'), signal)
      await lastsLong()
    }),
  )

  it('moves nothing when the disk of the leader of etcd is full', () =>
    story.nothingMoves(async () => {
      const { etcd } = story.rig()
      await etcd.lead(story.host('h1'))
      await etcd.fillDisk(story.host('h1'))
      await lastsLong()
      await etcd.freeDisk(story.host('h1'))
    }))
})
