import { join } from 'node:path'
import { inject } from 'vitest'
import { ArpReferee } from './arp-referee.ts'
import { anyMember, bringAllBack, type ClusterFile, settled, startClusterOnEtcd } from './cluster.ts'
import { makeImage, makePostgresImage } from './disk-image.ts'
import { type Guest, lastReconfiguration } from './expect-whole.ts'
import { Lab } from './lab.ts'
import { ETCD_TUNINGS, LabEtcd } from './lab-etcd.ts'
import type { LabHost } from './lab-host.ts'
import { makeMarking, marksOf } from './marking.ts'
import { RowWriter } from './row-writer.ts'
import { overlaps, readMarks } from './storage-referee.ts'

const HOSTS = ['h1', 'h2', 'h3'] as const
/** Where the guests are at home; the others follow in order. */
const HOMES = { pg1: ['h1', 'h2', 'h3'], web: ['h2', 'h3', 'h1'] } as const
const NETWORKS = ['pub', 'priv1', 'priv2'] as const
/** Twice the default: three hosts and five members of etcd share the cores of one machine here, with whatever else runs on it. */
const TIMINGS = { stampMs: 800, guardMs: 3_000, abortMs: 800, marginMs: 400 }

/** Three hosts and two witnesses on an etcd of five votes; `pg1` (PostgreSQL) at home on h1, `web` (http) on h2; a client that writes rows; referees. */
export interface ClusterRig {
  readonly lab: Lab
  readonly etcd: LabEtcd
  readonly guests: readonly Guest[]
  readonly writer: RowWriter
  /** Each guest with its home. */
  readonly atHome: Readonly<Record<string, string>>
  host(name: (typeof HOSTS)[number]): LabHost
  /** Heals everything, brings every host back and every guest home; returns the last reconfiguration. A new measurement begins. */
  begin(): Promise<number>
  /** What the referees have seen since it began, in words: addresses that two hosts had, disks that two hosts wrote to. */
  violations(): readonly string[]
  stop(): Promise<void>
}

/** What a rig may be given beside. */
export interface ClusterRigPlan {
  readonly name: string
  readonly clocks?: boolean
  readonly smallDisks?: boolean
}

/** Builds it, with the real commands. */
export async function startClusterRig({ name, clocks, smallDisks }: ClusterRigPlan): Promise<ClusterRig> {
  const workshop = inject('workshop')
  const installation = join(workshop, 'haven')
  const lab = await Lab.start({ workshop, installation, name, networks: NETWORKS, ...(clocks && { clocks }) })
  let referee: ArpReferee | undefined
  try {
    const guests = Object.keys(HOMES).map((guest, index) => ({
      name: guest,
      address: `10.77.0.${101 + index}`,
      image: join(lab.shared, `${guest}.img`),
    }))
    const images = Promise.all(guests.map(makeGuest))
    for (const host of HOSTS) await lab.addHost(host)
    for (const witness of ['witness', 'witness2']) await lab.addHost(witness, { isWitness: true })
    if (smallDisks) for (const machine of lab.machines) await LabEtcd.giveSmallDisk(machine)
    const etcd = new LabEtcd(lab.machines, ETCD_TUNINGS.default)
    await Promise.all([images, etcd.start()])
    await startClusterOnEtcd(lab, etcd.place, clusterOf(guests))
    const atHome = Object.fromEntries(Object.entries(HOMES).map(([guest, [home]]) => [guest, home]))
    await settled(lab, atHome)
    await startServices(lab)
    await settled(lab, atHome)
    const database = { address: guests[0]?.address ?? '', port: 5432 }
    await RowWriter.prepare(lab, database)
    const writer = new RowWriter(lab, database)
    const arp = await new ArpReferee(
      lab,
      guests.map(({ address }) => address),
    ).ready()
    referee = arp
    return {
      lab,
      etcd,
      guests,
      writer,
      atHome,
      host: (host) => lab.host(host),
      begin: async () => {
        await lab.healAll()
        for (const machine of lab.machines) {
          await machine.boot()
          await etcd.signal(machine, 'CONT')
        }
        await etcd.start()
        await bringAllBack(lab)
        await bringHome(lab, atHome)
        await writer.report()
        writer.begin()
        arp.begin()
        return lastReconfiguration(lab)
      },
      violations: () => [
        ...arp.violations(),
        ...guests.flatMap((guest) =>
          overlaps(readMarks(marksOf(lab, guest.name))).map((one) => `${guest.name}: ${one}`),
        ),
      ],
      stop: async () => {
        await writer.stop()
        await arp.stop()
        await lab.stop()
      },
    }
  } catch (error) {
    await referee?.stop()
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

async function makeGuest({ name, image, address }: Guest): Promise<void> {
  if (name === 'pg1') await makePostgresImage(image, 'ext4', address)
  else await makeImage(image, 'ext4', HTTP, address)
}

// $1 = mount point, $2 = address. SERVED_BY is for the service to fill in.
const HTTP = `
mkdir -p "$1/http/htdocs"
echo hello >"$1/http/htdocs/index.html"
printf 'ADDRESS=%s\\nPORT=80\\nFOLDER=http/htdocs\\nSERVED_BY=$HA_PHYSICAL_HOST\\n' "$2" >"$1/http/http.conf"
`

function clusterOf(guests: readonly Guest[]): ClusterFile {
  return {
    // So many takeovers in so short a time are what budgets are there to prevent.
    cluster: { name: 'e2e', timings: TIMINGS, budgets: { takeoversMax: 1_000, evictionsMax: 1_000 } },
    diskGroups: Object.fromEntries(
      guests.map(({ name, image }) => [`${name}-disks`, { filesystems: [{ device: image, type: 'ext4' }] }]),
    ),
    logicalHosts: Object.fromEntries(
      guests.map(({ name, address }) => [
        name,
        {
          physicalHosts: HOMES[name as keyof typeof HOMES],
          diskGroups: [`${name}-disks`],
          addresses: [{ address: `${address}/24`, adapters: 'pub' }],
        },
      ]),
    ),
  }
}

async function startServices(lab: Lab): Promise<void> {
  const host = lab.host('h1')
  await host.haven('hareg', '-r', 'mark', ...makeMarking(lab), '-h', 'pg1,web')
  await host.haven('hareg', '-s', '-r', 'postgresql', '-h', 'pg1')
  await host.haven('hareg', '-s', '-r', 'http', '-h', 'web')
  await host.haven('hareg', '-y', 'mark,postgresql,http')
}
