import type { DataService, LogicalHost } from '../../../src/framework/model/cluster-config.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../../../src/framework/model/names.ts'
import type { Action, Leftover } from '../../../src/framework/model/step.ts'

/** What is really there on one physical host. Plain data, so that a world can be copied. */
export interface HostWorld {
  readonly imported: Set<string>
  readonly addresses: Set<string>
  /** Services (`ha1/nfs`) whose START, START_NET or FM_START was done last. */
  readonly started: Set<string>
  readonly networked: Set<string>
  readonly monitored: Set<string>
  /** Logical hosts of which something will not go, whatever is tried. */
  readonly remains: Set<string>
}

/** A step that is to fail: armed by a scenario. */
export interface Fault {
  readonly host: string
  /** As in `START pg`, `import dg1`, `address-up 10.0.0.11`. */
  readonly what: string
  readonly how: 'failed' | 'timed-out'
  readonly times: 'once' | 'always'
}

/** The imaginary machines that scenarios run on. It knows nothing of plans and says what physically must not happen. */
export interface World {
  readonly hosts: Map<string, HostWorld>
  /** Ownership marks of disk groups: they outlive the host that wrote them. */
  readonly owners: Map<string, string>
  readonly faults: Fault[]
  /** What should never have happened, one sentence each. */
  readonly violations: string[]
}

/** What came of one step. */
export interface Result {
  readonly outcome: 'done' | 'failed' | 'timed-out'
  readonly message: string
  readonly leftovers: readonly Leftover[]
}

/** Where a step is done. */
export interface Place {
  readonly state: ClusterState
  readonly host: PhysicalHostName
  readonly logicalHost: LogicalHostName
}

/** Makes a world without any host. */
export function emptyWorld(): World {
  return { hosts: new Map(), owners: new Map(), faults: [], violations: [] }
}

/** Puts a host there, with nothing on it. */
export function bootHost(world: World, host: string): void {
  world.hosts.set(host, {
    imported: new Set(),
    addresses: new Set(),
    started: new Set(),
    networked: new Set(),
    monitored: new Set(),
    remains: new Set(),
  })
}

/** Ends a host: power, or its guard. Its marks on the disk groups stay. */
export function killHost(world: World, host: string): void {
  world.hosts.delete(host)
}

const done: Result = { outcome: 'done', message: '', leftovers: [] }
const failed = (message: string, leftovers: readonly Leftover[] = []): Result => ({
  outcome: 'failed',
  message,
  leftovers,
})

/** Does one action on a host. */
export function perform(world: World, place: Place, action: Action): Result {
  const fault = takeFault(world, place.host, labelOf(action))
  if (fault !== undefined) return { outcome: fault.how, message: messageOf(fault, action), leftovers: [] }
  const here = hostWorld(world, place.host)
  switch (action.kind) {
    case 'import':
      return importGroup(world, place, action)
    case 'export':
      return exportGroup(world, place, action.diskGroup)
    case 'address-up':
      return bringUp(world, place, action.address.address)
    case 'address-down':
      return takeDown(world, place, action.address.address)
    case 'method':
      return callMethod(world, place, action)
    case 'end-processes':
      endProcesses(here, place.logicalHost, action.service)
      return done
    case 'prove-released':
      return prove(world, place, action)
  }
}

/** Names an action as faults do. */
function labelOf(action: Action): string {
  if (action.kind === 'method') return `${action.method} ${action.service}`
  if (action.kind === 'import' || action.kind === 'export') return `${action.kind} ${action.diskGroup}`
  if (action.kind === 'address-up' || action.kind === 'address-down') return `${action.kind} ${action.address.address}`
  return action.kind
}

function takeFault(world: World, host: string, what: string): Fault | undefined {
  const index = world.faults.findIndex((fault) => fault.host === host && fault.what === what)
  const fault = world.faults[index]
  if (fault?.times === 'once') world.faults.splice(index, 1)
  return fault
}

function messageOf(fault: Fault, action: Action): string {
  if (fault.how === 'timed-out') return 'did not end in time'
  return action.kind === 'method' ? 'exit code 1' : 'refused'
}

function hostWorld(world: World, host: string): HostWorld {
  const here = world.hosts.get(host)
  if (here === undefined) throw new Error(`${host} is dead and acts`)
  return here
}

function importGroup(world: World, { host, logicalHost }: Place, action: Extract<Action, { kind: 'import' }>): Result {
  const { diskGroup, force, lostHosts } = action
  const owner = world.owners.get(diskGroup)
  const holder = [...world.hosts].find(([name, there]) => name !== host && there.imported.has(diskGroup))?.[0]
  if (owner !== undefined && owner !== host && !force)
    return failed(`DISK_GROUP_HELD: ${diskGroup} is held by ${owner}`)
  if (holder !== undefined) world.violations.push(`${diskGroup} imported on ${host} while ${holder} has it`)
  if (owner !== undefined && owner !== host && !lostHosts.some((lost) => lost === owner)) {
    world.violations.push(`${diskGroup} of ${logicalHost} taken by force from ${owner}, which the plan does not name`)
  }
  world.owners.set(diskGroup, host)
  hostWorld(world, host).imported.add(diskGroup)
  return done
}

function exportGroup(world: World, { host, logicalHost }: Place, diskGroup: string): Result {
  const here = hostWorld(world, host)
  if (!here.imported.has(diskGroup)) {
    if (world.owners.get(diskGroup) === host) world.owners.delete(diskGroup)
    return done
  }
  for (const running of [...here.started, ...here.networked].filter((key) => key.startsWith(`${logicalHost}/`))) {
    world.violations.push(`${diskGroup} exported on ${host} under ${running}, which runs`)
  }
  if (here.remains.has(logicalHost)) return failed(`DISK_GROUP_BUSY: process 4711 holds ${diskGroup}`)
  here.imported.delete(diskGroup)
  world.owners.delete(diskGroup)
  return done
}

function bringUp(world: World, { state, host, logicalHost }: Place, address: string): Result {
  const holder = [...world.hosts].find(([name, there]) => name !== host && there.addresses.has(address))?.[0]
  if (holder !== undefined) world.violations.push(`${address} up on ${host} while ${holder} has it`)
  if (!hasAllImported(world, state, host, logicalHost)) {
    world.violations.push(`${address} up on ${host} before the disk groups of ${logicalHost} are imported`)
  }
  hostWorld(world, host).addresses.add(address)
  return done
}

function takeDown(world: World, { state, host, logicalHost }: Place, address: string): Result {
  const here = hostWorld(world, host)
  const talking = [...here.networked].find(
    (key) => key.startsWith(`${logicalHost}/`) && hasMethod(state, key, 'STOP_NET'),
  )
  if (talking !== undefined && here.addresses.has(address)) {
    world.violations.push(`${address} down on ${host} under ${talking}, which uses it`)
  }
  here.addresses.delete(address)
  return done
}

function hasAllImported(world: World, state: ClusterState, host: string, logicalHost: LogicalHostName): boolean {
  const groups = state.logicalHosts.get(logicalHost)?.diskGroups ?? []
  return groups.every((group) => hostWorld(world, host).imported.has(group))
}

function hasMethod(state: ClusterState, key: string, method: 'START' | 'START_NET' | 'STOP' | 'STOP_NET'): boolean {
  const name = key.slice(key.indexOf('/') + 1)
  return [...state.dataServices.values()].some(
    (service) => service.name === name && service.methods[method] !== undefined,
  )
}

function callMethod(world: World, place: Place, { method, service }: Extract<Action, { kind: 'method' }>): Result {
  const here = hostWorld(world, place.host)
  const key = `${place.logicalHost}/${service}`
  const fault = (text: string): void => {
    world.violations.push(`${method} of ${key} on ${place.host} ${text}`)
  }
  switch (method) {
    case 'START':
    case 'START_NET':
      checkStart(world, place, method, service, fault)
      ;(method === 'START' ? here.started : here.networked).add(key)
      return done
    case 'STOP_NET':
    case 'STOP':
      checkStop(world, place, method, service, fault)
      stopService(here, place.state, key, method)
      return done
    case 'FM_START':
      here.monitored.add(key)
      return done
    case 'FM_STOP':
      here.monitored.delete(key)
      return done
    default:
      return done
  }
}

function stopService(here: HostWorld, state: ClusterState, key: string, method: 'STOP' | 'STOP_NET'): void {
  // A service with only one of the two methods is stopped wholly by it.
  const other = method === 'STOP' ? 'STOP_NET' : 'STOP'
  if (method === 'STOP' || !hasMethod(state, key, other)) here.started.delete(key)
  if (method === 'STOP_NET' || !hasMethod(state, key, other)) here.networked.delete(key)
}

type Complain = (text: string) => void

function checkStart(
  world: World,
  place: Place,
  method: 'START' | 'START_NET',
  name: DataServiceName,
  fault: Complain,
): void {
  const { state, host, logicalHost } = place
  const here = hostWorld(world, host)
  if (!hasAllImported(world, state, host, logicalHost)) fault('before the disk groups are imported')
  const addresses = state.logicalHosts.get(logicalHost)?.addresses ?? []
  if (method === 'START_NET' && !addresses.every(({ address }) => here.addresses.has(address))) {
    fault('before the addresses are up')
  }
  const running = method === 'START' ? here.started : here.networked
  for (const needed of neighbours(state, logicalHost, name, 'dependencies')) {
    if (needed.methods[method] !== undefined && !running.has(`${logicalHost}/${needed.name}`))
      fault(`before ${needed.name}`)
  }
}

function checkStop(
  world: World,
  place: Place,
  method: 'STOP' | 'STOP_NET',
  name: DataServiceName,
  fault: Complain,
): void {
  const { state, host, logicalHost } = place
  const here = hostWorld(world, host)
  const key = `${logicalHost}/${name}`
  if (here.monitored.has(key) && hasMonitor(state, name)) fault('under its fault monitor')
  const running = method === 'STOP' ? here.started : here.networked
  for (const dependant of neighbours(state, logicalHost, name, 'dependants')) {
    const theirs = `${logicalHost}/${dependant.name}`
    if (running.has(theirs) && hasMethod(state, theirs, method)) fault(`under ${dependant.name}, which depends on it`)
  }
}

function hasMonitor(state: ClusterState, name: DataServiceName): boolean {
  return state.dataServices.get(name)?.methods.FM_STOP !== undefined
}

/** Services that are on and configured on the same logical host, directly before or behind one in the order of starting. */
function neighbours(
  state: ClusterState,
  logicalHost: LogicalHostName,
  name: DataServiceName,
  side: 'dependencies' | 'dependants',
): readonly DataService[] {
  const itself = state.dataServices.get(name)
  return [...state.dataServices.values()].filter(
    (service) =>
      service.state === 'on' &&
      service.logicalHosts.includes(logicalHost) &&
      (side === 'dependencies' ? itself?.dependsOn.includes(service.name) : service.dependsOn.includes(name)),
  )
}

function endProcesses(here: HostWorld, logicalHost: LogicalHostName, service: DataServiceName | 'all'): void {
  for (const running of [here.started, here.networked, here.monitored]) {
    for (const key of [...running]) {
      if (service === 'all' ? key.startsWith(`${logicalHost}/`) : key === `${logicalHost}/${service}`)
        running.delete(key)
    }
  }
}

function prove(
  world: World,
  { state, host, logicalHost }: Place,
  action: Extract<Action, { kind: 'prove-released' }>,
): Result {
  const here = hostWorld(world, host)
  const configured: LogicalHost | undefined = state.logicalHosts.get(logicalHost)
  const forgotten = (configured?.diskGroups ?? []).filter((group) => !action.diskGroups.includes(group))
  for (const group of forgotten) world.violations.push(`the proof of ${logicalHost} on ${host} forgets ${group}`)
  const leftovers: Leftover[] = [
    ...(here.remains.has(logicalHost) ? [leftover('process', 'process 4711')] : []),
    ...[...here.started].filter((key) => key.startsWith(`${logicalHost}/`)).map((key) => leftover('process', key)),
    ...action.addresses
      .filter(({ address }) => here.addresses.has(address.address))
      .map(({ address }) => leftover('address', address.address)),
    ...action.diskGroups.filter((group) => here.imported.has(group)).map((group) => leftover('disk-group', group)),
  ]
  return leftovers.length === 0 ? done : failed('not released', leftovers)
}

function leftover(kind: Leftover['kind'], what: string): Leftover {
  return { kind, what, remedy: `end ${what}` }
}
