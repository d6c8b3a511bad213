import { expect, it } from 'vitest'
import { bringAllBack } from '../lab/cluster.ts'
import { describeCluster, type Story } from '../lab/cluster-story.ts'
import { databaseStaysAway, networksAre, stampsGoOn, writtenFor } from '../lab/passing.ts'

const LOST = ['hosts-lost']

describeCluster('three hosts on etcd whose networks fail', { name: 'cuts' }, (story) => {
  networksFail(story)
  hostsAreCutOff(story)
  networksAreBad(story)
})

/** Whoever had to be given up would have been. */
function lastsLong(story: Story): Promise<void> {
  return stampsGoOn(story.rig().lab)
}

/** All hosts find the private networks to be so, and nothing comes of it. */
async function areAndStay(story: Story, networks: Readonly<Record<string, string>>): Promise<void> {
  await networksAre([...story.rig().lab.hosts.values()], networks)
  await lastsLong(story)
}

function networksFail(story: Story): void {
  it('moves nothing when one private network is lost for everybody', () =>
    story.nothingMoves(async () => {
      await story.rig().lab.breakNetwork('priv1')
      await areAndStay(story, { priv1: 'down', priv2: 'up' })
    }))

  it('moves nothing when the master loses one private network, and then the other one instead', () =>
    story.nothingMoves(async () => {
      await story.host('h1').cut('priv1')
      await areAndStay(story, { priv1: 'partitioned', priv2: 'up' })
      await story.host('h1').heal('priv1')
      await story.host('h1').cut('priv2')
      await areAndStay(story, { priv1: 'up', priv2: 'partitioned' })
    }))

  it('moves nothing when both private networks are lost for everybody, although etcd has only those', () =>
    story.nothingMoves(async () => {
      const { lab, writer } = story.rig()
      await lab.breakNetwork('priv1')
      await lab.breakNetwork('priv2')
      await databaseStaysAway([...lab.hosts.values()])
      await writer.report()
      await lab.healAll()
    }))

  it.each(['mute', 'deafen'] as const)('moves nothing when one private network only %ss the master', (deed) =>
    story.nothingMoves(async () => {
      await story.host('h1')[deed]('priv1')
      await areAndStay(story, { priv1: 'partitioned', priv2: 'up' })
    }),
  )

  it.each(['mute', 'deafen'] as const)(
    'moves nothing when both private networks %s the master: it is promised what it has, over the public one',
    (deed) =>
      story.nothingMoves(async () => {
        const { lab } = story.rig()
        const h1 = story.host('h1')
        await h1[deed]('priv1')
        await h1[deed]('priv2')
        await databaseStaysAway([h1])
        const { databaseAway } = await h1.api().status()
        expect(databaseAway?.promisedBy).toEqual(['h2', 'h3'])
        await lab.healAll()
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
    const { lab } = story.rig()
    const two = [story.host('h1'), story.host('h2')]
    await lab.part(
      two,
      lab.machines.filter((machine) => !two.includes(machine)),
    )
    await story.wholeAfter({ pg1: 'h3', web: 'h3' }, { 'hosts-lost': /^h[12] lost: no sign of life for/ })
  })

  it('moves nothing when one host that masters nothing is parted from two and the witnesses', () =>
    story.nothingMoves(async () => {
      const { lab } = story.rig()
      const h3 = story.host('h3')
      await lab.part(
        [h3],
        lab.machines.filter((machine) => machine !== h3),
      )
      await lastsLong(story)
      await lab.healAll()
    }, LOST))
}

function networksAreBad(story: Story): void {
  it('ends well after all cables of a host were pulled ten times', async () => {
    const { lab, guests } = story.rig()
    const others = guests.filter(({ name }) => name === 'web')
    for (let round = 0; round < 10; round += 1) {
      await story.host('h1').cut()
      await writtenFor(lab, { guests: others, ms: 300 })
      await story.host('h1').heal()
      await writtenFor(lab, { guests: others, ms: 300 })
    }
    await bringAllBack(lab)
    const { timelines } = await story.wholeAfter(story.rig().atHome, {
      'hosts-lost': /^h1 lost: no sign of life for/,
      'host-joined': /^h1 joined$/,
      'interface-failed': /^pub failed on h1, while pub works for others$/,
      settle: /^pg1 may switch back now$/,
    })
    // Nobody else has anything to do with it.
    const moved = new Set(timelines.flatMap(({ logicalHosts }) => logicalHosts))
    expect([...moved].filter((name) => name !== 'pg1')).toEqual([])
  })

  it('ends well after one frame in five was lost on every network', async () => {
    const { lab, guests } = story.rig()
    await lab.lose(20)
    // Whoever may write meanwhile: at the end each of them has, for that long.
    await writtenFor(lab, { guests, ms: 8_000 })
    await lab.healAll()
    await bringAllBack(lab)
    await story.wholeAfter(story.rig().atHome, {
      'hosts-lost': /^h[123] lost: no sign of life for/,
      'host-joined': /^h[123] joined$/,
      'interface-failed': /^pub failed on h[123], while pub works for others$/,
      settle: /^(pg1|web) may switch back now$/,
    })
  })
}
