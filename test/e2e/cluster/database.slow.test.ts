import { it } from 'vitest'
import { describeCluster } from '../lab/cluster-story.ts'
import { databaseStaysAway, stampsGoOn } from '../lab/passing.ts'

describeCluster('three hosts whose etcd fails', { name: 'etcd', smallDisks: true }, (story) => {
  /** The services go on without the database; each host says how long already. */
  const staysAway = async (): Promise<void> => {
    const { lab, writer } = story.rig()
    await databaseStaysAway([...lab.hosts.values()])
    await writer.report()
  }

  it.each(['KILL', 'STOP'] as const)('moves nothing when the leader of etcd gets a SIG%s', (signal) =>
    story.nothingMoves(async () => {
      const { lab, etcd } = story.rig()
      await etcd.lead(story.host('h1'))
      await etcd.signal(story.host('h1'), signal)
      await stampsGoOn(lab)
    }),
  )

  it.each(['KILL', 'STOP'] as const)('moves nothing when every member of etcd gets a SIG%s', (signal) =>
    story.nothingMoves(async () => {
      const { lab, etcd } = story.rig()
      await Promise.all(lab.machines.map((machine) => etcd.signal(machine, signal)))
      await staysAway()
      await Promise.all(lab.machines.map((machine) => etcd.signal(machine, 'CONT')))
      await etcd.start()
    }),
  )

  it('moves nothing when the disk of the leader of etcd is full', () =>
    story.nothingMoves(async () => {
      const { lab, etcd } = story.rig()
      await etcd.lead(story.host('h1'))
      await etcd.fillDisk(story.host('h1'))
      await stampsGoOn(lab)
      await etcd.freeDisk(story.host('h1'))
    }))

  it('moves nothing when the disks of all members of etcd are full', () =>
    story.nothingMoves(async () => {
      const { lab, etcd } = story.rig()
      await Promise.all(lab.machines.map((machine) => etcd.fillDisk(machine)))
      await staysAway()
      await Promise.all(lab.machines.map((machine) => etcd.freeDisk(machine)))
      await etcd.start()
    }))
})
