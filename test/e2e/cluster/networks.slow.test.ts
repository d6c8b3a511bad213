import { expect, it } from 'vitest'
import { bringAllBack, settled } from '../lab/cluster.ts'
import { describeCluster, type Story } from '../lab/cluster-story.ts'
import { expectNothingTwice } from '../lab/expect-whole.ts'

const LOST = ['hosts-lost']

describeCluster('three hosts on etcd whose networks fail', { name: 'cuts' }, (story) => {
  networksFail(story)
  hostsAreCutOff(story)
  networksAreBad(story)
})

/** Longer than it takes to give a host up. */
function sleepLong(story: Story): Promise<unknown> {
  return story.host('h3').exec('sleep', '6')
}

function networksFail(story: Story): void {
  it('moves nothing when one private network is lost for everybody', () =>
    story.nothingMoves(async () => {
      await story.rig().lab.breakNetwork('priv1')
      await sleepLong(story)
    }))

  it('moves nothing when the master loses one private network, and then the other one instead', () =>
    story.nothingMoves(async () => {
      await story.host('h1').cut('priv1')
      await sleepLong(story)
      await story.host('h1').heal('priv1')
      await story.host('h1').cut('priv2')
      await sleepLong(story)
    }))

  it('moves nothing when both private networks are lost for everybody, although etcd has only those', () =>
    story.nothingMoves(async () => {
      await story.rig().lab.breakNetwork('priv1')
      await story.rig().lab.breakNetwork('priv2')
      await sleepLong(story)
      await story.rig().writer.report()
      await story.rig().lab.healAll()
    }))

  it.each(['mute', 'deafen'] as const)('moves nothing when one private network only %ss the master', (deed) =>
    story.nothingMoves(async () => {
      await story.host('h1')[deed]('priv1')
      await sleepLong(story)
    }),
  )
}

function hostsAreCutOff(story: Story): void {
  it('takes over from a host that is cut from everything, and takes it back when it is healed', async () => {
    await story.host('h1').cut()
    await story.whole({ pg1: 'h2', web: 'h2' }, LOST)
    await story.host('h1').heal()
    await story.host('h1').haven('scadmin', 'startnode')
    await story.whole({ pg1: 'h1', web: 'h2' }, ['host-joined'])
  })

  it('takes over from a minority of one that clients still reach, after that has let go', async () => {
    const { lab } = story.rig()
    const h1 = story.host('h1')
    await lab.part(
      [h1],
      lab.machines.filter((machine) => machine !== h1),
    )
    const { timelines } = await story.whole({ pg1: 'h2', web: 'h2' }, LOST)
    expect(timelines[0]?.cause.sentence).toMatch(/^h1 lost/)
  })

  it('takes over from two hosts that have no majority of etcd between them', async () => {
    const { lab, guests } = story.rig()
    const two = [story.host('h1'), story.host('h2')]
    await lab.part(
      two,
      lab.machines.filter((machine) => !two.includes(machine)),
    )
    await settled(lab, { pg1: 'h3', web: 'h3' })
    await expectNothingTwice(lab, { guests, masters: { pg1: 'h3', web: 'h3' } })
    await story.wholeAnywhere()
  })

  it('moves nothing when one host that masters nothing is parted from two and the witnesses', () =>
    story.nothingMoves(async () => {
      const { lab } = story.rig()
      const h3 = story.host('h3')
      await lab.part(
        [h3],
        lab.machines.filter((machine) => machine !== h3),
      )
      await sleepLong(story)
      await lab.healAll()
    }, LOST))
}

function networksAreBad(story: Story): void {
  it('ends well after all cables of a host were pulled ten times', async () => {
    const { lab } = story.rig()
    for (let round = 0; round < 10; round += 1) {
      await story.host('h1').cut()
      await story.host('h3').exec('sleep', '0.3')
      await story.host('h1').heal()
      await story.host('h3').exec('sleep', '0.3')
    }
    await bringAllBack(lab)
    await story.wholeAnywhere()
  })

  it('ends well after one frame in five was lost on every network', async () => {
    await story.rig().lab.lose(20)
    await story.host('h3').exec('sleep', '8')
    await story.rig().lab.healAll()
    await bringAllBack(story.rig().lab)
    await story.wholeAnywhere()
  })
}
