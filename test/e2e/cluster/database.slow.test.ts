import { it } from 'vitest'
import { describeCluster } from '../lab/cluster-story.ts'

describeCluster('three hosts whose etcd fails', { name: 'etcd', smallDisks: true }, (story) => {
  /** Longer than it takes to give a host up. */
  const lastsLong = (): Promise<unknown> => story.host('h3').exec('sleep', '6')

  it.each(['KILL', 'STOP'] as const)('moves nothing when the leader of etcd gets a SIG%s', (signal) =>
    story.nothingMoves(async () => {
      const { etcd } = story.rig()
      await etcd.lead(story.host('h1'))
      await etcd.signal(story.host('h1'), signal)
      await lastsLong()
    }),
  )

  it.each(['KILL', 'STOP'] as const)('moves nothing when every member of etcd gets a SIG%s', (signal) =>
    story.nothingMoves(async () => {
      const { lab, etcd, writer } = story.rig()
      await Promise.all(lab.machines.map((machine) => etcd.signal(machine, signal)))
      await lastsLong()
      await writer.report()
      await Promise.all(lab.machines.map((machine) => etcd.signal(machine, 'CONT')))
      await etcd.start()
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

  it('moves nothing when the disks of all members of etcd are full', () =>
    story.nothingMoves(async () => {
      const { lab, etcd, writer } = story.rig()
      await Promise.all(lab.machines.map((machine) => etcd.fillDisk(machine)))
      await lastsLong()
      await writer.report()
      await Promise.all(lab.machines.map((machine) => etcd.freeDisk(machine)))
      await etcd.start()
    }))
})
