import { join } from 'node:path'
import { inject } from 'vitest'
import { anyMember, bringAllBack, settled, startCluster } from './cluster.ts'
import { makeImage, makePostgresImage } from './disk-image.ts'
import { type Guest, lastReconfiguration } from './expect-whole.ts'
import { Lab } from './lab.ts'
import { RowWriter } from './row-writer.ts'

const drill = join(import.meta.dirname, 'drill')

/** What a rig is made of. */
export interface RigPlan {
  readonly name: string
  readonly hosts: readonly string[]
  readonly type: 'ext4' | 'xfs'
  /** Logical hosts beside `pg1`, which run the service `drill` only. */
  readonly others: readonly string[]
}

/** A cluster at work: `pg1` with PostgreSQL and `drill`, perhaps others with `drill`, all mastered by the first host; and a client that writes rows. */
export interface Rig {
  readonly lab: Lab
  readonly guests: readonly Guest[]
  readonly writer: RowWriter
  /** Everything mastered by the first host. */
  readonly atHome: Readonly<Record<string, string>>
  /** Brings every host back and everything home; returns the last reconfiguration. A new measurement begins. */
  begin(): Promise<number>
  stop(): Promise<void>
}

/** Builds it, with the real commands. */
export async function startRig({ name, hosts, type, others }: RigPlan): Promise<Rig> {
  const workshop = inject('workshop')
  const lab = await Lab.start({ workshop, installation: join(workshop, 'haven'), name })
  try {
    const guests = ['pg1', ...others].map((guest, index) => ({
      name: guest,
      address: `10.77.0.${101 + index}`,
      image: join(lab.shared, `${guest}.img`),
    }))
    await Promise.all([...hosts.map((host) => lab.addHost(host)), ...guests.map((guest) => makeGuest(guest, type))])
    await startCluster(lab, clusterOf(hosts, guests, type))
    const [first = ''] = hosts
    const atHome = Object.fromEntries(guests.map((guest) => [guest.name, first]))
    await settled(lab, atHome)
    await startServices(lab, first)
    await settled(lab, atHome)
    const database = { address: guests[0]?.address ?? '', port: 5432 }
    await RowWriter.prepare(lab, database)
    const writer = new RowWriter(lab, database)
    return {
      lab,
      guests,
      writer,
      atHome,
      begin: async () => {
        await bringAllBack(lab)
        await bringHome(lab, atHome)
        await writer.report()
        writer.begin()
        return lastReconfiguration(lab)
      },
      stop: async () => {
        await writer.stop()
        await lab.stop()
      },
    }
  } catch (error) {
    await lab.stop()
    throw error
  }
}

/** What prefers a host moves back by itself when that joins; what was moved away from a member stays. */
async function bringHome(lab: Lab, atHome: Readonly<Record<string, string>>): Promise<void> {
  await settled(lab, {})
  for (const { name, master } of (await (await anyMember(lab)).api().status()).logicalHosts) {
    const home = atHome[name] ?? ''
    if (master !== home) await lab.host(home).haven('haswitch', home, name)
  }
  await settled(lab, atHome)
}

async function makeGuest({ name, image, address }: Guest, type: 'ext4' | 'xfs'): Promise<void> {
  if (name === 'pg1') await makePostgresImage(image, type, address)
  else await makeImage(image, type, ':')
}

function clusterOf(hosts: readonly string[], guests: readonly Guest[], type: string): object {
  return {
    // So many takeovers in so short a time are what budgets are there to prevent.
    cluster: { name: 'e2e', budgets: { takeoversMax: 1_000, evictionsMax: 1_000 } },
    diskGroups: Object.fromEntries(
      guests.map(({ name, image }) => [`${name}-disks`, { filesystems: [{ device: image, type }] }]),
    ),
    logicalHosts: Object.fromEntries(
      guests.map(({ name, address }) => [
        name,
        {
          physicalHosts: hosts,
          diskGroups: [`${name}-disks`],
          addresses: [{ address: `${address}/24`, adapters: 'pub' }],
        },
      ]),
    ),
  }
}

async function startServices(lab: Lab, first: string): Promise<void> {
  const host = lab.host(first)
  const methods = ['-m', 'START=start,STOP=stop,ABORT=stop', '-t', 'START=10,STOP=2,ABORT=1']
  await host.haven('hareg', '-r', 'drill', '-b', drill, ...methods)
  await host.haven('hareg', '-s', '-r', 'postgresql', '-h', 'pg1')
  await host.haven('hareg', '-y', 'drill,postgresql')
}
