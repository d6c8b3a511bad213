import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { describeCluster } from '../lab/cluster-story.ts'
import { stampsGoOn } from '../lab/passing.ts'

const LOST = ['hosts-lost']

describeCluster('three hosts on etcd that lose their power', { name: 'power', clocks: true }, (story) => {
  it('takes over what a lost host had, and only that', async () => {
    await story.host('h1').powerOff()
    const { timelines } = await story.whole({ pg1: 'h2', web: 'h2' }, LOST)
    expect(timelines[0]?.cause.sentence).toMatch(/^h1 lost: no sign of life for/)
    expect(timelines[0]?.lanes.map(({ logicalHost }) => logicalHost)).toEqual(['pg1'])
  })

  it('takes over when the host that is lost leads etcd', async () => {
    await story.rig().etcd.lead(story.host('h1'))
    await story.host('h1').powerOff()
    await story.whole({ pg1: 'h2', web: 'h2' }, LOST)
  })

  it('lets a late joiner catch up first: it learns what was changed while it was away, and only then gets its own back', async () => {
    await story.host('h1').powerOff()
    await story.whole({ pg1: 'h2', web: 'h2' }, LOST)
    await story.host('h2').haven('scconf', 'e2e', '-L', 'web', '--change', '--switchback', 'manual')
    await story.host('h2').powerOff()
    await story.whole({ pg1: 'h3', web: 'h3' }, LOST)
    await story.host('h1').boot()
    await story.rig().etcd.start()
    await story.host('h1').haven('scadmin', 'startnode')
    await story.whole({ pg1: 'h1', web: 'h3' }, ['host-joined'])
    const { logicalHosts } = await story.host('h1').api().status()
    expect(logicalHosts.find(({ name }) => name === 'web')).toMatchObject({ switchback: 'manual' })
    await story.host('h1').haven('scconf', 'e2e', '-L', 'web', '--change', '--switchback', 'automatic')
  })

  it('masters everything again when all machines get their power back at once', async () => {
    const { lab, etcd } = story.rig()
    await Promise.all(lab.machines.map((machine) => machine.powerOff()))
    await Promise.all(lab.machines.map((machine) => machine.boot()))
    const clustd = join(inject('workshop'), 'haven/bin/clustd')
    await Promise.all([etcd.start(), ...[...lab.hosts.values()].map((host) => host.spawn(clustd, '--mode', 'auto'))])
    // What was mastered by a host that is not the first to be back goes home when that joins.
    await story.wholeAfter(story.rig().atHome, {
      'hosts-lost': /^(h[123] lost \((restarted|expired)\)(, |$)){1,3}|^h[123] lost: no sign of life/,
      'cluster-started': /^cluster started by h[123]$/,
      'host-joined': /^h[123] joined$/,
      settle: /^(pg1|web) may switch back now$/,
    })
  })

  it('does not care what time a host thinks it is', async () => {
    await story.nothingMoves(async () => {
      for (const seconds of [3_600, -3_600, 0]) {
        story.host('h1').setClock(seconds)
        // A guard that does not believe its clock any more wants a proof within two stamps.
        await stampsGoOn(story.rig().lab, 4)
      }
    })
  })
})
