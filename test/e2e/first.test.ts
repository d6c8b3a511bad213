import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bringAllBack, settled, startCluster } from './lab/cluster.ts'
import { makePostgresImage } from './lab/disk-image.ts'
import { lookAtHost } from './lab/host-view.ts'
import { Lab } from './lab/lab.ts'
import { missing } from './lab/missing.ts'
import { RowWriter } from './lab/row-writer.ts'

describe.skipIf(missing !== undefined)('first', () => {
  let lab: Lab
  beforeAll(async () => {
    const workshop = inject('workshop')
    lab = await Lab.start({ workshop, installation: `${workshop}/haven`, name: 'a' })
    await Promise.all([
      lab.addHost('h1'),
      lab.addHost('h2'),
      makePostgresImage(`${lab.shared}/pg.img`, 'ext4', '10.77.0.101'),
    ])
  })
  afterAll(() => lab?.stop())

  it('goes', async () => {
    await startCluster(lab, {
      cluster: { name: 'e2e', budgets: { takeoversMax: 1000, evictionsMax: 1000 } },
      diskGroups: { pg: { filesystems: [{ device: `${lab.shared}/pg.img`, type: 'ext4' }] } },
      logicalHosts: {
        pg1: {
          physicalHosts: ['h1', 'h2'],
          diskGroups: ['pg'],
          addresses: [{ address: '10.77.0.101/24', adapters: 'pub' }],
        },
      },
    })
    await settled(lab, { pg1: 'h1' })
    const h1 = lab.host('h1')
    const h2 = lab.host('h2')
    console.log(await h1.haven('hareg', '-s', '-r', 'postgresql', '-h', 'pg1'))
    console.log(await h1.haven('hareg', '-y', 'postgresql'))
    await settled(lab, { pg1: 'h1' })
    console.log(JSON.stringify(await lookAtHost(h1)))
    const db = { address: '10.77.0.101', port: 5432 }
    await RowWriter.prepare(lab, db)
    const writer = new RowWriter(lab, db)
    console.log(await h1.haven('haswitch', 'h2', 'pg1'))
    await settled(lab, { pg1: 'h2' })
    console.log(writer.count, await writer.report().then((r) => ({ ...r, acknowledged: r.acknowledged.length })))
    console.log(await h1.haven('scadmin', 'timeline'))
    writer.begin()
    await h2.powerOff()
    await settled(lab, { pg1: 'h1' })
    console.log(await h1.haven('scadmin', 'timeline'))
    console.log(writer.count, await writer.report().then((r) => ({ ...r, acknowledged: r.acknowledged.length })))
    console.log(await h1.haven('hastat'))
    await bringAllBack(lab)
    await writer.stop()
    expect(1).toBe(1)
  })
})
