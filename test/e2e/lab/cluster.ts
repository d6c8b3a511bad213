import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StatusJson } from '../../../src/framework/api/wire.ts'
import { eventually } from '../../eventually.ts'
import type { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'

/** Starting two Node.js programs, on a busy machine. */
const START_MS = 30_000

const APPLIED_MS = 60_000
/** Exit code of what is refused because something is under way. */
const BUSY = 4

/** Sets the hosts of a lab up on this machine's files, with the real commands: the first founds the cluster, the others join. */
export async function startCluster(lab: Lab, cluster: object): Promise<void> {
  const place = `file:${join(lab.shared, 'database')}`
  const [first, ...others] = await foundCluster(lab, place)
  for (const host of others) {
    await host.haven('scadmin', 'setup', '--cluster', 'e2e', '--host', host.name, '--database', place)
    await host.haven('scadmin', 'startnode', 'e2e')
  }
  await configure(lab, first, cluster)
}

/** The same on an etcd at `place`, with every network that the hosts have: the others are let in by token, over the private network. */
export async function startClusterOnEtcd(lab: Lab, place: string, cluster: ClusterFile): Promise<void> {
  const [first, ...others] = await foundCluster(lab, place)
  for (const host of others) {
    const { token } = JSON.parse(await first.haven('scadmin', 'token', '--json')) as { readonly token: string }
    await host.haven('scadmin', 'join', '--token', token, '--host', host.name, first.addressOn('priv1'))
    await host.haven('scadmin', 'startnode')
  }
  const { networks } = lab.switch
  const interfacesOf = (host: LabHost): object =>
    Object.fromEntries(networks.map((network) => [network, { adapter: network, address: host.addressOn(network) }]))
  const hosts = [...lab.hosts.values()].map((host) => [
    host.name,
    { ...cluster.physicalHosts?.[host.name], interfaces: interfacesOf(host) },
  ])
  await configure(lab, first, {
    ...cluster,
    networks: Object.fromEntries(
      networks.map((network) => [network, { role: network === 'pub' ? 'both' : 'internal' }]),
    ),
    physicalHosts: Object.fromEntries(hosts),
  })
}

/** A cluster file, as far as it matters here. */
export interface ClusterFile {
  readonly physicalHosts?: Readonly<Record<string, object>>
  readonly [section: string]: unknown
}

/** Starts the cluster with the first host alone; returns all of them. */
async function foundCluster(lab: Lab, place: string): Promise<readonly [LabHost, ...LabHost[]]> {
  const [first, ...others] = [...lab.hosts.values()]
  if (first === undefined) throw new Error('a cluster needs a host')
  await first.haven('scadmin', 'setup', '--cluster', 'e2e', '--host', first.name, '--database', place)
  await first.haven('scadmin', 'startcluster', first.name, 'e2e')
  return [first, ...others]
}

async function configure(lab: Lab, host: LabHost, cluster: object): Promise<void> {
  // YAML is a superset of JSON.
  const file = join(lab.shared, 'cluster.yaml')
  writeFileSync(file, JSON.stringify(cluster, null, 2))
  // It switches services on, which waits for nobody: logical hosts that are just being taken on are busy, and the command says to try again.
  await eventually('the cluster file to be applied', APPLIED_MS, async (saw) => {
    const { exitCode, stderr } = await host.tryHaven('scconf', 'apply', '-f', file)
    saw(stderr)
    if (exitCode !== 0 && exitCode !== BUSY) throw new Error(stderr)
    return exitCode === 0 ? true : undefined
  })
}

/** Some host whose clustd answers. */
export async function anyMember(lab: Lab): Promise<LabHost> {
  for (const host of lab.hosts.values()) if (await isMember(host)) return host
  throw new Error('no host of the lab is a member')
}

export async function isMember(host: LabHost): Promise<boolean> {
  if (!host.isOn) return false
  const identity = await host
    .api()
    .identity()
    .catch(() => undefined)
  return identity?.role === 'member'
}

/** Brings every host back: switched on, a member. What was left undone by a test before is none of the next one's business. */
export async function bringAllBack(lab: Lab): Promise<void> {
  for (const host of lab.hosts.values()) await host.boot()
  await agreedOnMembers(lab)
  for (const host of lab.hosts.values()) {
    if (await isMember(host)) continue
    const founds = await anyMember(lab).then(
      () => false,
      () => true,
    )
    const words = founds ? ['startcluster', host.name, 'e2e'] : ['startnode', 'e2e']
    await host.haven('scadmin', ...words)
  }
}

/** Waits until the hosts that take themselves for members are those that the others take for some: one that was given up may not know it for a moment. */
async function agreedOnMembers(lab: Lab): Promise<void> {
  await eventually('the hosts to agree on who is a member', START_MS, async (saw) => {
    const states = await Promise.all([...lab.hosts.values()].map(statusOfMember))
    const members = states.filter((status) => status !== undefined)
    const views = members.map((status) => ({
      host: status.answeredBy,
      databaseAway: status.databaseAway,
      members: status.physicalHosts.filter(({ membership }) => membership !== 'not a member').map(({ name }) => name),
    }))
    saw(views)
    const names = String(members.map(({ answeredBy }) => answeredBy).toSorted())
    return views.every((view) => view.databaseAway === null && String(view.members) === names) || undefined
  })
}

async function statusOfMember(host: LabHost): Promise<StatusJson | undefined> {
  if (!(await isMember(host))) return undefined
  return host
    .api()
    .status()
    .catch(() => undefined)
}

/** Waits until nothing is under way, and these logical hosts are mastered by these hosts. */
export async function settled(lab: Lab, masters: Readonly<Record<string, string>>, withinMs = START_MS): Promise<void> {
  const what = Object.entries(masters).map(([logicalHost, host]) => `${logicalHost} to be mastered by ${host}`)
  await eventually(what.join(' and '), withinMs, async (saw) => {
    const status = await (await anyMember(lab)).api().status()
    const now = status.logicalHosts.map(({ name, sentence, services }) => ({ name, sentence, services }))
    saw({ isStable: status.isStable, now })
    const isRight = Object.entries(masters).every(([logicalHost, host]) =>
      status.logicalHosts.some(({ name, master }) => name === logicalHost && master === host),
    )
    return status.isStable && isRight ? true : undefined
  })
}
