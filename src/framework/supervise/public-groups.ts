import { ADAPTER_TESTS_DEFAULT, type AdapterTests } from '../model/adapter-tests.ts'
import type { PhysicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { NetworkName, PhysicalHostName } from '../model/names.ts'
import type { GroupSight } from '../model/network.ts'

/** Adapters of one host that stand in for each other; an adapter that is in no backup group is a group of its own, with its own name. */
export interface PublicGroup {
  readonly name: string
  readonly network: NetworkName
  /** In order of preference, at least one. */
  readonly adapters: readonly string[]
  readonly tests: AdapterTests
}

type Configured = Pick<ClusterState, 'physicalHosts' | 'networks'>
type Seen = Configured & Pick<ClusterState, 'members' | 'sights'>

/** Lists what is tested on a host: its backup groups, and every adapter on a network for clients that is in none. Empty when nothing is configured. */
export function publicGroupsOf(
  { physicalHosts, networks }: Configured,
  host: PhysicalHostName,
): readonly PublicGroup[] {
  const configured = physicalHosts.get(host)
  if (configured === undefined) return []
  const groups = configured.backupGroups.filter(({ network, adapters }) => networks.has(network) && adapters.length > 0)
  const grouped = new Set(groups.flatMap(({ adapters }) => adapters))
  const alone = configured.interfaces.filter(({ network, adapter }) => {
    const role = networks.get(network)?.role
    return (role === 'client' || role === 'both') && !grouped.has(adapter)
  })
  const all = [...groups, ...alone.map(({ network, adapter }) => ({ name: adapter, network, adapters: [adapter] }))]
  return all.map((group) => ({ ...group, tests: networks.get(group.network)?.adapterTests ?? ADAPTER_TESTS_DEFAULT }))
}

/** Finds the group that a logical address is on: it may name the group or, from the time before there was one, any adapter of it. */
export function groupNamed<Group extends { readonly name: string; readonly adapters: readonly string[] }>(
  groups: readonly Group[],
  name: string,
): Group | undefined {
  return groups.find((group) => group.name === name) ?? groups.find(({ adapters }) => adapters.includes(name))
}

/** What a host says of one of its groups in its present life; undefined when nothing is known. */
export function groupSightOf(state: Seen, host: PhysicalHostName, group: string): GroupSight | undefined {
  const sight = state.sights.get(host)
  if (sight === undefined || sight.incarnation !== state.members.get(host)?.incarnation) return undefined
  return sight.groups.find(({ name }) => name === group)
}

/**
 * Tells whether nobody hears this host over a network that carries heartbeats, while others hear each other there: then what comes in does not show that
 * anything goes out. It takes three members to tell. `late`: members whose stamps are overdue; they are not asked.
 */
export function isUnheardOn(
  state: Seen,
  me: PhysicalHostName,
  network: NetworkName,
  late: ReadonlySet<PhysicalHostName>,
): boolean {
  const others = [...state.members.values()].flatMap(({ host, incarnation }) => {
    const sight = state.sights.get(host)
    const hears = sight?.interfaces.find((one) => one.network === network)?.hears ?? null
    const counts = host !== me && !late.has(host) && sight?.incarnation === incarnation
    return counts && hears !== null ? [{ host, hears }] : []
  })
  if (others.some(({ hears }) => hears.includes(me))) return false
  return others.some((one) => others.some(({ host, hears }) => one.hears.includes(host) && hears.includes(one.host)))
}

/** A group of another member on a network. */
export interface OtherGroup {
  readonly host: PhysicalHostName
  readonly group: PublicGroup
  /** Undefined when it has not said anything yet. */
  readonly sight: GroupSight | undefined
}

/**
 * Lists the groups that the other members have on a network. `late`: members whose stamps are overdue. They may be down, and what they saw last may be no
 * more: a host that takes their word would find itself faulty because the other one has died.
 */
export function otherGroupsOn(
  state: Seen,
  me: PhysicalHostName,
  network: NetworkName,
  late: ReadonlySet<PhysicalHostName>,
): readonly OtherGroup[] {
  return [...state.members.keys()]
    .filter((host) => host !== me && !late.has(host))
    .flatMap((host) =>
      publicGroupsOf(state, host)
        .filter((group) => group.network === network)
        .map((group) => ({ host, group, sight: groupSightOf(state, host, group.name) })),
    )
}

/**
 * Lists whom a host may ask whether a network lives: the targets outside of the cluster first, then the other members on it, but for those that are known
 * to be unable to answer, or late, of whose silence nothing follows.
 */
export function probeTargetsOf(
  state: Seen,
  me: PhysicalHostName,
  network: NetworkName,
  late: ReadonlySet<PhysicalHostName>,
): readonly string[] {
  const dumb = new Set(
    otherGroupsOn(state, me, network, late)
      .filter(({ group, sight }) => sight?.state === 'failed' || isWhollyFaulty(group, sight))
      .map(({ host }) => host),
  )
  const peers = [...state.members.keys()]
    .filter((host) => host !== me && !late.has(host) && !dumb.has(host))
    .flatMap((host) => interfacesOf(state.physicalHosts.get(host), network))
  return [...(state.networks.get(network)?.probeTargets ?? []), ...peers]
}

function isWhollyFaulty({ adapters }: PublicGroup, sight: GroupSight | undefined): boolean {
  return sight !== undefined && adapters.every((adapter) => sight.faulty.includes(adapter))
}

function interfacesOf(host: PhysicalHost | undefined, network: NetworkName): readonly string[] {
  return host?.interfaces.filter((one) => one.network === network).map(({ address }) => address) ?? []
}
