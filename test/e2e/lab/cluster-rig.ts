import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { eventually } from '../../eventually.ts'
import { ArpReferee } from './arp-referee.ts'
import { anyMember, bringAllBack, type ClusterFile, settled, startClusterOnEtcd } from './cluster.ts'
import { makeImage, makePostgresImage } from './disk-image.ts'
import { type Guest, lastReconfiguration } from './expect-whole.ts'
import { Lab } from './lab.ts'
import { ETCD_TUNINGS, LabEtcd } from './lab-etcd.ts'
import type { LabHost } from './lab-host.ts'
import { forgetMarks, makeMarking, marksOf } from './marking.ts'
import { PowerDesk } from './power-desk.ts'
import { RowWriter } from './row-writer.ts'
import { overlaps, readMarks } from './storage-referee.ts'
import { storyOf } from './story.ts'

const HOSTS = ['h1', 'h2', 'h3'] as const
/** Where the guests are at home; the others follow in order. */
const HOMES = { pg1: ['h1', 'h2', 'h3'], web: ['h2', 'h3', 'h1'], box: ['h3', 'h1', 'h2'] } as const
const NETWORKS = ['pub', 'priv1', 'priv2'] as const
/** Twice the default: three hosts and five members of etcd share the cores of one machine here, with whatever else runs on it. */
export const TIMINGS = { stampMs: 800, guardMs: 3_000, abortMs: 800, marginMs: 400 }
const GROUP = 'nafo0'
/** A bad adapter is trusted again after some seconds. */
const ADAPTERS_MS = 45_000

/** Three hosts and two witnesses on an etcd of five votes; `pg1` (PostgreSQL) at home on h1, `web` (http) on h2; a client that writes rows; referees. */
export interface ClusterRig {
  readonly lab: Lab
  readonly etcd: LabEtcd
  readonly guests: readonly Guest[]
  readonly writer: RowWriter
  readonly arp: ArpReferee
  /** Each guest with its home. */
  readonly atHome: Readonly<Record<string, string>>
  host(name: (typeof HOSTS)[number]): LabHost
  /** Heals everything, brings every host back and every guest home; returns the last reconfiguration. A new measurement begins. */
  begin(): Promise<number>
  /** The referees forget what they have seen. */
  judgeAnew(): void
  /** What the referees have seen since they judged anew, in words: addresses that two hosts had, disks that two hosts wrote to. */
  violations(): readonly string[]
  stop(): Promise<void>
}

/** What a rig may be given beside. */
export interface ClusterRigPlan {
  readonly name: string
  readonly clocks?: boolean
  readonly smallDisks?: boolean
  /** Every host has a second adapter on the public network, in a backup group with the first. */
  readonly spare?: boolean
  /** A third guest, `box` at home on h3: a directory that all hosts see, with nothing but the marking service. File systems are kept apart by the kernel that the hosts of a lab share. */
  readonly box?: boolean
  /** Every host has a fence device. */
  readonly fence?: boolean
}

/** Builds it, with the real commands. */
export async function startClusterRig(plan: ClusterRigPlan): Promise<ClusterRig> {
  const workshop = inject('workshop')
  const installation = join(workshop, 'haven')
  const { name, clocks = false, spare = false } = plan
  const lab = await Lab.start({ workshop, installation, name, networks: NETWORKS, spare, clocks })
  const toStop: { stop(): Promise<void> }[] = [lab]
  const stop = async (): Promise<void> => {
    for (const each of toStop.toReversed()) await each.stop()
  }
  try {
    const guests = guestsOf(lab, plan)
    const atHome = Object.fromEntries(guests.map((guest) => [guest.name, homesOf(guest)[0]]))
    const etcd = await startMachines(lab, guests, plan)
    await startClusterOnEtcd(lab, etcd.place, await clusterOf(lab, guests, plan, toStop))
    await settled(lab, atHome)
    await startServices(lab, guests)
    await settled(lab, atHome)
    const database = { address: guests[0]?.address ?? '', port: 5432 }
    await RowWriter.prepare(lab, database)
    const writer = new RowWriter(lab, database)
    const addresses = guests.map(({ address }) => address)
    const arp = new ArpReferee(lab, addresses)
    toStop.push(arp, writer)
    await arp.ready()
    const host = (of: (typeof HOSTS)[number]): LabHost => lab.host(of)
    const judgeAnew = (): void => {
      arp.begin()
      for (const guest of guests) forgetMarks(lab, guest.name)
    }
    const parts = { lab, etcd, guests, atHome, writer, arp, host, judgeAnew, stop }
    return { ...parts, begin: () => begin(parts), violations: () => [...arp.violations(), ...doubleWrites(parts)] }
  } catch (error) {
    console.log(storyOf(lab))
    await stop()
    throw error
  }
}

function guestsOf(lab: Lab, { box = false }: ClusterRigPlan): readonly Guest[] {
  const names = ['pg1', 'web', ...(box ? ['box'] : [])]
  return names.map((name, index) => ({
    name,
    address: `10.77.0.${101 + index}`,
    image: name === 'box' ? '' : join(lab.shared, `${name}.img`),
    ...(name === 'box' && { directory: join(lab.shared, name) }),
  }))
}

function homesOf({ name }: Guest): readonly [string, ...string[]] {
  return HOMES[name as keyof typeof HOMES]
}

async function startMachines(lab: Lab, guests: readonly Guest[], { smallDisks }: ClusterRigPlan): Promise<LabEtcd> {
  const images = Promise.all(guests.map(makeGuest))
  for (const host of HOSTS) await lab.addHost(host)
  for (const witness of ['witness', 'witness2']) await lab.addHost(witness, { isWitness: true })
  if (smallDisks) for (const machine of lab.machines) await LabEtcd.giveSmallDisk(machine)
  const etcd = new LabEtcd(lab.machines, ETCD_TUNINGS.default)
  await Promise.all([images, etcd.start()])
  return etcd
}

async function begin(rig: Omit<ClusterRig, 'begin' | 'violations'>): Promise<number> {
  const { lab, etcd, atHome, writer } = rig
  for (const machine of lab.machines) if (machine.isOn) await machine.thaw()
  await lab.healAll()
  for (const machine of lab.machines) {
    await machine.boot()
    await etcd.signal(machine, 'CONT')
  }
  await etcd.start()
  await bringAllBack(lab)
  await adaptersWork(lab)
  await bringHome(lab, atHome)
  await writer.report()
  writer.begin()
  rig.judgeAnew()
  return lastReconfiguration(lab)
}

function doubleWrites({ lab, guests }: Pick<ClusterRig, 'lab' | 'guests'>): readonly string[] {
  return guests.flatMap(({ name }) => overlaps(readMarks(marksOf(lab, name))).map((one) => `${name}: ${one}`))
}

/** Nothing goes to a host before its public adapters are known to work again. */
async function adaptersWork(lab: Lab): Promise<void> {
  await eventually('the public adapters of all hosts to work', ADAPTERS_MS, async (saw) => {
    const { publicGroups } = await (await anyMember(lab)).api().status()
    saw(publicGroups)
    const bad = publicGroups
      .flatMap(({ groups }) => groups)
      .filter(({ state }) => state === 'failed' || state === 'network-down')
    return bad.length === 0 ? true : undefined
  })
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

async function makeGuest({ name, image, directory, address }: Guest): Promise<void> {
  if (directory !== undefined) mkdirSync(directory)
  else if (name === 'pg1') await makePostgresImage(image, 'ext4', address)
  else await makeImage(image, 'ext4', HTTP, address)
}

// $1 = mount point, $2 = address. SERVED_BY is for the service to fill in.
const HTTP = `
mkdir -p "$1/http/htdocs"
echo hello >"$1/http/htdocs/index.html"
printf 'ADDRESS=%s\\nPORT=80\\nFOLDER=http/htdocs\\nSERVED_BY=$HA_PHYSICAL_HOST\\n' "$2" >"$1/http/http.conf"
`

/** What has to be stopped with it is added to `toStop`. */
async function clusterOf(
  lab: Lab,
  guests: readonly Guest[],
  { spare = false, fence = false }: ClusterRigPlan,
  toStop: { stop(): Promise<void> }[],
): Promise<ClusterFile> {
  const desk = fence ? await PowerDesk.open(lab) : undefined
  if (desk !== undefined) toStop.push({ stop: () => desk.close() })
  const backupGroups = { [GROUP]: { network: 'pub', adapters: ['pub', 'pub2'] } }
  const ofHost = { ...(spare && { backupGroups }), ...(fence && { fenceLevels: ['bmc'] }) }
  const fencing = { shareMax: 1, windowMs: 1_000, statusEveryMs: 1_000 }
  return {
    // So many takeovers in so short a time are what budgets are there to prevent.
    cluster: {
      name: 'e2e',
      timings: TIMINGS,
      budgets: { takeoversMax: 1_000, evictionsMax: 1_000 },
      ...(fence && { fencing }),
    },
    ...(desk !== undefined && { fenceDevices: { bmc: { program: desk.program, hosts: HOSTS } } }),
    physicalHosts: Object.fromEntries(HOSTS.map((host) => [host, ofHost])),
    diskGroups: Object.fromEntries(guests.map((guest) => [`${guest.name}-disks`, disksOf(guest)])),
    logicalHosts: Object.fromEntries(
      guests.map((guest) => [
        guest.name,
        {
          physicalHosts: homesOf(guest),
          diskGroups: [`${guest.name}-disks`],
          addresses: [{ address: `${guest.address}/24`, adapters: spare ? GROUP : 'pub' }],
        },
      ]),
    ),
  }
}

function disksOf({ image, directory }: Guest): object {
  return directory === undefined ? { filesystems: [{ device: image, type: 'ext4' }] } : { directory }
}

async function startServices(lab: Lab, guests: readonly Guest[]): Promise<void> {
  const host = lab.host('h1')
  await host.haven('hareg', '-r', 'mark', ...makeMarking(lab), '-h', guests.map(({ name }) => name).join(','))
  await host.haven('hareg', '-s', '-r', 'postgresql', '-h', 'pg1')
  await host.haven('hareg', '-s', '-r', 'http', '-h', 'web')
  await host.haven('hareg', '-y', 'mark,postgresql,http')
}
