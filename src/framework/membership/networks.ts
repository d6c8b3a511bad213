import type { ClusterState } from '../model/cluster-state.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { GroupSight, Interface, InterfaceSight, InterfaceState, Network, NetworkState } from '../model/network.ts'
import { carriesHeartbeats } from './heartbeats.ts'

/** What the networks are judged by. */
export interface NetworkFacts extends Pick<ClusterState, 'networks' | 'physicalHosts' | 'members' | 'sights'> {
  /** Members whose stamps are overdue: they may be down, and what they saw last may be no more. */
  readonly doubtful: ReadonlySet<PhysicalHostName>
}

/** Why an interface is said to have failed: its own link, nobody hears it while the others hear each other, or only it reaches nothing outside. */
export type Isolation = 'link' | 'peers' | 'probes' | 'group'

/** What one host's interface on one network is said to be. */
export interface InterfaceVerdict {
  readonly host: PhysicalHostName
  readonly adapter: string
  readonly address: string
  readonly state: InterfaceState
  /** Only when it has failed. */
  readonly isolation: Isolation | null
  /** Hosts on the network that it does not communicate with, in order of their names; empty where nothing is known. */
  readonly apartFrom: readonly PhysicalHostName[]
}

/** What a network is said to be. */
export interface NetworkVerdict {
  readonly network: Network
  readonly state: NetworkState
  /** In order of the names of their hosts. */
  readonly interfaces: readonly InterfaceVerdict[]
}

/**
 * Judges all networks by comparing what all members see, in order of their names (the states of the NT cluster line). Two hosts communicate when each
 * hears the other. The same facts give the same answer on every host.
 */
export function judgeNetworks(facts: NetworkFacts): readonly NetworkVerdict[] {
  return [...facts.networks.values()].toSorted(byName).map((network) => judgeNetwork(facts, network))
}

/** One host's end of a network; `sight` is what it sees there now. */
interface End {
  readonly host: PhysicalHostName
  readonly at: Interface
  /** `absent`: its host is no member; `unclear`: nothing is known of it. */
  readonly kind: 'absent' | 'unclear' | 'seen'
  readonly link: InterfaceSight['link']
  readonly hears: ReadonlySet<PhysicalHostName>
  readonly reaches: boolean | null
  readonly group: GroupSight['state'] | null
}

type Judged = Pick<InterfaceVerdict, 'state' | 'isolation' | 'apartFrom'>

function judgeNetwork(facts: NetworkFacts, network: Network): NetworkVerdict {
  const ends = endsOf(facts, network)
  const seen = ends.filter(({ kind }) => kind === 'seen')
  const isolations = new Map(seen.map((end) => [end, isolationOf(end, seen)]))
  const judge = (end: End): Judged =>
    carriesHeartbeats(network.role) ? judgeByHeartbeats(end, ends, isolations) : judgeByLink(end)
  const judged = ends.map((end): Judged => {
    if (network.role === 'none' || end.kind === 'absent') return UNAVAILABLE
    return end.kind === 'unclear' ? UNKNOWN : judge(end)
  })
  const interfaces = ends.map(({ host, at }, index) => ({
    host,
    adapter: at.adapter,
    address: at.address,
    ...(judged[index] ?? UNKNOWN),
  }))
  return { network, state: stateOf(network, ends, interfaces), interfaces }
}

const UNAVAILABLE: Judged = { state: 'unavailable', isolation: null, apartFrom: [] }
const UNKNOWN: Judged = { state: 'unknown', isolation: null, apartFrom: [] }

function endsOf({ physicalHosts, members, sights, doubtful }: NetworkFacts, { name, role }: Network): readonly End[] {
  return [...physicalHosts.values()].toSorted(byName).flatMap((physicalHost): readonly End[] => {
    const at = physicalHost.interfaces.find(({ network }) => network === name)
    if (at === undefined) return []
    const host = physicalHost.name
    const member = members.get(host)
    const whole = sights.get(host)
    const sight = whole?.interfaces.find(({ network }) => network === name)
    // What a former life saw says nothing of this one.
    const isCurrent = whole?.incarnation === member?.incarnation && !doubtful.has(host)
    const isSeen =
      isCurrent && sight !== undefined && (sight.hears !== null || !carriesHeartbeats(role) || sight.link === 'down')
    // An adapter without a group is looked at as a group of its own name.
    const groupName = physicalHost.backupGroups.find((group) => group.network === name)?.name ?? at.adapter
    const group = whole?.groups.find((one) => one.name === groupName)?.state ?? null
    return [
      {
        host,
        at,
        kind: member === undefined ? 'absent' : isSeen ? 'seen' : 'unclear',
        link: linkOf(sight?.link ?? 'unknown', group),
        hears: new Set(sight?.hears),
        reaches: sight?.reaches ?? null,
        group,
      },
    ]
  })
}

/** A backup group works as long as one of its adapters does. */
function linkOf(link: End['link'], group: End['group']): End['link'] {
  if (group === 'ok') return 'up'
  return group === 'failed' ? 'down' : link
}

type Isolations = ReadonlyMap<End, Isolation | null>

function judgeByHeartbeats(end: End, ends: readonly End[], isolations: Isolations): Judged {
  const others = [...isolations.keys()].filter((other) => other !== end)
  const apartFrom = others.filter((other) => !communicate(end, other)).map(({ host }) => host)
  const isolation = isolations.get(end) ?? null
  if (isolation !== null) return { state: 'failed', isolation, apartFrom }
  const working = others.filter((other) => isolations.get(other) === null)
  if (working.some((other) => !communicate(end, other))) return { state: 'unreachable', isolation: null, apartFrom }
  const isHeardFrom = working.length > 0 || end.hears.size > 0
  const isAlone = ends.every((other) => other === end || other.kind !== 'unclear')
  const isWell = isHeardFrom || (isAlone && (end.link === 'up' || end.reaches === true))
  return { state: isWell ? 'up' : 'unknown', isolation: null, apartFrom }
}

/** Finds out whether it is this interface that has failed, and not the network or another one. Null = not, or it cannot be told. */
function isolationOf(end: End, seen: readonly End[]): Isolation | null {
  if (end.link === 'down') return end.group === 'failed' ? 'group' : 'link'
  const working = seen.filter(({ link }) => link !== 'down')
  const others = working.filter((other) => other !== end)
  if (others.length === 0 || others.some((other) => communicate(end, other))) return null
  // It reaches something outside: whatever is broken, it is not this interface.
  if (end.reaches === true) return null
  if (end.reaches === false && others.some(({ reaches }) => reaches === true)) return 'probes'
  // Most of the hosts hear each other, if by way of others, and none of them this one.
  return others.some((other) => 2 * groupSize(other, others) > working.length && groupSize(other, others) > 1)
    ? 'peers'
    : null
}

/** How many of the ends are connected with this one, itself included. */
function groupSize(end: End, ends: readonly End[]): number {
  const found = new Set([end])
  // A set hands out what is added while it is walked.
  for (const one of found) for (const other of ends) if (communicate(one, other)) found.add(other)
  return found.size
}

function communicate(one: End, other: End): boolean {
  if (one === other) return true
  if (one.link === 'down' || other.link === 'down') return false
  return one.hears.has(other.host) && other.hears.has(one.host)
}

/** On a network without heartbeats an interface is judged by itself. */
function judgeByLink({ link, group, reaches }: End): Judged {
  if (link === 'down') return { state: 'failed', isolation: group === 'failed' ? 'group' : 'link', apartFrom: [] }
  if (group === 'network-down' || (group === null && reaches === false))
    return { state: 'unreachable', isolation: null, apartFrom: [] }
  return group === 'doubtful' || link === 'unknown' ? UNKNOWN : { state: 'up', isolation: null, apartFrom: [] }
}

function stateOf({ role }: Network, ends: readonly End[], interfaces: readonly InterfaceVerdict[]): NetworkState {
  if (role === 'none' || ends.every(({ kind }) => kind === 'absent')) return 'unavailable'
  const seen = ends.filter(({ kind }) => kind === 'seen')
  const known = interfaces.filter(({ state }) => state !== 'unknown' && state !== 'unavailable')
  if (carriesHeartbeats(role) && seen.length > 1) {
    const pairs = seen.flatMap((one, index) => seen.slice(index + 1).map((other) => communicate(one, other)))
    return pairs.every(Boolean) ? 'up' : pairs.some(Boolean) ? 'partitioned' : 'down'
  }
  // A single host communicates with all others that are active as long as its own end works.
  const isSettled = known.length > 0 && (!carriesHeartbeats(role) || ends.every(({ kind }) => kind !== 'unclear'))
  if (!isSettled) return 'unknown'
  if (known.every(({ state }) => state === 'up')) return 'up'
  return known.some(({ state }) => state === 'up') ? 'partitioned' : 'down'
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1
}
