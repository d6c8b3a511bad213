import type { DataService, LogicalHost } from '../../../src/framework/model/cluster-config.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { isInMotion, type LogicalHostState } from '../../../src/framework/model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../../../src/framework/model/names.ts'
import type { Scene } from './scene.ts'
import type { HostWorld, World } from './world.ts'

/** Says what is wrong with a cluster in which nothing is left to do: state and world must agree, and what can be mastered must be. */
export function judgeAtRest({ state, world }: Scene): readonly string[] {
  return [...judgeOutsiders(state, world), ...judgeLogicalHosts(state, world)]
}

/** A host that left in order has nothing of any logical host any more, not even a fault monitor. */
function judgeOutsiders(state: ClusterState, world: World): readonly string[] {
  const members: readonly string[] = [...state.members.keys()]
  return [...world.hosts]
    .filter(([host]) => !members.includes(host))
    .flatMap(([host, there]) => [
      ...[...there.imported, ...there.addresses].map((part) => `${part} is on ${host}, which has left`),
      ...[...there.started, ...there.networked].map((key) => `${key} runs on ${host}, which has left`),
      ...[...there.monitored].map((key) => `monitor of ${key} runs on ${host}, which has left`),
    ])
}

function judgeLogicalHosts(state: ClusterState, world: World): readonly string[] {
  return [...state.states.values()].flatMap((at) => {
    const logicalHost = state.logicalHosts.get(at.name)
    if (logicalHost === undefined) return [`${at.name} has a state and no configuration`]
    return [
      ...judgeMotion(world, at),
      ...judgePlace(world, at, logicalHost),
      ...judgeServices(state, world, at),
      ...judgeMonitors(state, world, at, logicalHost),
      ...judgeIdleness(state, world, at, logicalHost),
    ].map((text) => `${at.name}: ${text}`)
  })
}

/** Something may rest in motion only when its actor is dead and nobody has noticed yet. */
function judgeMotion(world: World, { mastery }: LogicalHostState): readonly string[] {
  if (!isInMotion(mastery) || mastery.kind === 'unmastered' || mastery.kind === 'stuck') return []
  return world.hosts.has(mastery.by) ? [`rests while ${mastery.kind} by ${mastery.by}`] : []
}

function holderOf({ mastery }: LogicalHostState): PhysicalHostName | undefined {
  return mastery.kind === 'mastered' ? mastery.by : undefined
}

function judgePlace(world: World, at: LogicalHostState, { diskGroups, addresses }: LogicalHost): readonly string[] {
  if (at.mastery.kind === 'stuck' || isInMotion(at.mastery)) return []
  const holder = holderOf(at)
  return [...world.hosts].flatMap(([host, there]) => {
    const isHere = host === holder
    const wrong = [
      ...diskGroups.filter((group) => there.imported.has(group) !== isHere),
      ...addresses.map(({ address }) => address).filter((address) => there.addresses.has(address) !== isHere),
    ]
    return wrong.map((part) => `${part} is ${isHere ? 'not ' : ''}on ${host}`)
  })
}

function servicesOf(state: ClusterState, name: LogicalHostName): readonly DataService[] {
  const without = state.states.get(name)?.without ?? []
  return [...state.dataServices.values()].filter(
    (service) => service.state === 'on' && service.logicalHosts.includes(name) && !without.includes(service.name),
  )
}

function judgeServices(state: ClusterState, world: World, at: LogicalHostState): readonly string[] {
  if (at.mastery.kind === 'stuck' || isInMotion(at.mastery)) return []
  const wanted = servicesOf(state, at.name)
  return [...world.hosts].flatMap(([host, there]) => {
    const isHere = host === holderOf(at)
    const keys = (method: 'START' | 'START_NET'): readonly string[] =>
      isHere
        ? wanted.filter(({ methods }) => methods[method] !== undefined).map(({ name }) => `${at.name}/${name}`)
        : []
    return [...compare(at, there.started, keys('START')), ...compare(at, there.networked, keys('START_NET'))].map(
      (text) => `${text} on ${host}`,
    )
  })
}

function compare(at: LogicalHostState, running: ReadonlySet<string>, wanted: readonly string[]): readonly string[] {
  const here = [...running].filter((key) => key.startsWith(`${at.name}/`))
  return [
    ...wanted.filter((key) => !here.includes(key)).map((key) => `${key} does not run`),
    ...here.filter((key) => !wanted.includes(key)).map((key) => `${key} runs`),
  ]
}

function judgeMonitors(
  state: ClusterState,
  world: World,
  at: LogicalHostState,
  config: LogicalHost,
): readonly string[] {
  if (at.mastery.kind === 'stuck' || isInMotion(at.mastery)) return []
  const isMastered = at.mastery.kind === 'mastered'
  const wanted = servicesOf(state, at.name)
    .filter(({ methods }) => isMastered && methods.FM_START !== undefined)
    .map(({ name }) => `${at.name}/${name}`)
  return [...world.hosts]
    .filter(([host]) => [...state.members.keys()].some((member) => member === host))
    .flatMap(([host, there]) => {
      const isPossible = config.physicalHosts.some((possible) => possible === host)
      return compareMonitors(at, there, isPossible ? wanted : []).map((text) => `${text} on ${host}`)
    })
}

function compareMonitors(at: LogicalHostState, there: HostWorld, wanted: readonly string[]): readonly string[] {
  return compare(at, there.monitored, wanted).map((text) => `monitor of ${text}`)
}

/** Nobody masters it, and one that could is there. */
function judgeIdleness(
  state: ClusterState,
  world: World,
  at: LogicalHostState,
  config: LogicalHost,
): readonly string[] {
  const { mastery } = at
  if (mastery.kind !== 'unmastered' || mastery.why === 'maintenance' || mastery.why === 'too-many-takeovers') return []
  return config.physicalHosts
    .filter((host) => state.members.get(host)?.state === 'joined' && world.hosts.has(host))
    .filter((host) => !at.takeOnFailures.some((failure) => failure.host === host))
    .filter((host) => at.heirs === null || at.heirs.includes(host))
    .filter((host) => !hasFailedGroup(state, config, host))
    .map((host) => `unmastered (${mastery.why}) while ${host} is there`)
}

/** An adapter, or a group of them, that an address needs there has failed. */
function hasFailedGroup(state: ClusterState, { addresses }: LogicalHost, host: PhysicalHostName): boolean {
  const failed = (state.sights.get(host)?.groups ?? []).filter((group) => group.state === 'failed')
  return addresses.some(({ adapters }) => failed.some(({ name }) => adapters[host] === name))
}
