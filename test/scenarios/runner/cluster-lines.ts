import { rememberFormerList } from '../../../src/framework/configure/former-lists.ts'
import {
  type ClusterConfig,
  type DataService,
  type DiskGroup,
  type LogicalAddress,
  type LogicalHost,
  METHOD_NAMES,
  type Method,
  type MethodName,
  type PhysicalHost,
} from '../../../src/framework/model/cluster-config.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { LATER_DEFAULTS } from '../../../src/framework/model/later-defaults.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { stateOfNewLogicalHost } from '../../../src/framework/model/new-logical-host.ts'
import { newPhysicalHost } from '../../../src/framework/model/new-physical-host.ts'

/** A cluster with nothing in it. */
export function emptyState(): ClusterState {
  const cluster: ClusterConfig = {
    name: parseName('cluster', 'demo'),
    timings: { stampMs: 400, guardMs: 1500, abortMs: 400, marginMs: 300 },
    budgets: {
      takeoversMax: 3,
      takeoverWindowMs: 600_000,
      evictionsMax: 2,
      evictionWindowMs: 600_000,
      parallelMovesMax: 8,
    },
    logicalHostTimeoutS: 180,
    stepTimeoutS: 720,
    syslogFacility: 'local7',
    ...LATER_DEFAULTS,
  }
  return {
    revision: 0,
    cluster,
    physicalHosts: new Map(),
    logicalHostRevisions: new Map(),
    networks: new Map(),
    fenceDevices: new Map(),
    sights: new Map(),
    diskGroups: new Map(),
    logicalHosts: new Map(),
    dataServices: new Map(),
    members: new Map(),
    states: new Map(),
    lastReconfiguration: 0,
  }
}

/**
 * Puts what one line says into the configuration:
 *
 *     hosts h1 h2
 *     logical ha1: h1 h2, dg1 dg2, 10.0.0.11 [, manual] [, abort]
 *     service pg: ha1, START STOP [, after net] [, off]
 *     group nafo0: h1 h2, eth1 eth2
 *     takeovers 2 in 600
 *
 * An address may name the group that it is on: `10.0.0.11%nafo0`. In the place of methods may stand `basic` (START, STOP), `net`, `abort` (ABORT, ABORT_NET), `monitor` (FM_INIT, FM_START, FM_STOP), `nothing`.
 */
export function configureLine(state: ClusterState, line: string): ClusterState {
  const [kind = '', name = ''] = line.split(/[\s:]+/)
  const parts = line
    .slice(line.indexOf(':') + 1)
    .split(',')
    .map((part) => part.trim())
  switch (kind) {
    case 'hosts':
      return addHosts(state, line.split(/\s+/).slice(1))
    case 'logical':
      return addLogicalHost(state, name, parts)
    case 'service':
      return addService(state, name, parts)
    case 'group':
      return addGroup(state, name, parts)
    case 'takeovers':
      return setBudget(state, line)
    case 'evictions':
      return {
        ...state,
        cluster: { ...state.cluster, budgets: { ...state.cluster.budgets, evictionsMax: Number(name) } },
      }
    default:
      throw new Error(`what is '${line}'?`)
  }
}

function addHosts(state: ClusterState, names: readonly string[]): ClusterState {
  const hosts = names.map((text): PhysicalHost => {
    const name = parseName('physicalHost', text)
    return newPhysicalHost(name)
  })
  return {
    ...state,
    physicalHosts: new Map([...state.physicalHosts, ...hosts.map((host) => [host.name, host] as const)]),
  }
}

function addLogicalHost(state: ClusterState, text: string, parts: readonly string[]): ClusterState {
  const [hosts = '', groups = '', addresses = '', ...options] = parts
  const name = parseName('logicalHost', text)
  const logicalHost: LogicalHost = {
    name,
    physicalHosts: words(hosts).map((host) => parseName('physicalHost', host)),
    diskGroups: words(groups).map((group) => parseName('diskGroup', group)),
    addresses: words(addresses).map((address) => addressOf(address, words(hosts))),
    switchback: options.includes('manual') ? 'manual' : 'automatic',
    onStuck: options.includes('abort') ? 'abort' : 'stay',
  }
  const diskGroups = logicalHost.diskGroups.map(
    (group): DiskGroup => ({ kind: 'directory', name: group, path: `/disks/${group}` }),
  )
  const revision = state.revision + 1
  const known = rememberFormerList(state, logicalHost) ?? state.states.get(name) ?? stateOfNewLogicalHost(name)
  return {
    ...state,
    revision,
    logicalHostRevisions: new Map([...state.logicalHostRevisions, [name, revision]]),
    logicalHosts: new Map([...state.logicalHosts, [name, logicalHost]]),
    diskGroups: new Map([...state.diskGroups, ...diskGroups.map((group) => [group.name, group] as const)]),
    states: new Map([...state.states, [name, known]]),
  }
}

function addressOf(text: string, hosts: readonly string[]): LogicalAddress {
  const [address = '', group] = text.split('%')
  if (group === undefined) return { kind: 'local', address, prefixLength: 32, adapters: {} }
  return {
    kind: 'ip',
    address,
    prefixLength: 24,
    adapters: Object.fromEntries(hosts.map((host) => [host, group])),
  }
}

/** A backup group of the same name on each of the hosts, all on the network `public`. */
function addGroup(state: ClusterState, name: string, [hosts = '', adapters = '']: readonly string[]): ClusterState {
  const network = parseName('network', 'public')
  const physicalHosts = new Map(state.physicalHosts)
  for (const text of words(hosts)) {
    const host = physicalHosts.get(parseName('physicalHost', text))
    if (host === undefined) throw new Error(`${text} is not configured`)
    const group = { name, network, adapters: words(adapters) }
    physicalHosts.set(host.name, { ...host, backupGroups: [...host.backupGroups, group] })
  }
  const networks = new Map([...state.networks, [network, { name: network, role: 'client', probeTargets: [] }] as const])
  return { ...state, physicalHosts, networks }
}

function addService(state: ClusterState, text: string, parts: readonly string[]): ClusterState {
  const [logicalHosts = '', methods = '', ...options] = parts
  const after = options.find((option) => option.startsWith('after '))?.slice('after '.length) ?? ''
  const name = parseName('dataService', text)
  const service: DataService = {
    name,
    state: options.includes('off') ? 'off' : 'on',
    methods: methodsOf(text, methods),
    baseDirectory: '',
    dependsOn: words(after).map((needed) => parseName('dataService', needed)),
    logicalHosts: words(logicalHosts).map((logicalHost) => parseName('logicalHost', logicalHost)),
    version: '1',
    apiVersion: '1',
    packages: [],
  }
  return { ...state, dataServices: new Map([...state.dataServices, [name, service]]) }
}

const sets: Readonly<Record<string, readonly MethodName[]>> = {
  basic: ['START', 'STOP'],
  net: ['START_NET', 'STOP_NET'],
  abort: ['ABORT', 'ABORT_NET'],
  monitor: ['FM_INIT', 'FM_START', 'FM_STOP'],
  nothing: [],
}

function methodsOf(service: string, text: string): DataService['methods'] {
  const names = words(text).flatMap((word) => sets[word] ?? METHOD_NAMES.filter((method) => method === word))
  return Object.fromEntries(
    names.map((method): [MethodName, Method] => [method, { program: `/opt/${service}/${method}`, timeoutS: 60 }]),
  )
}

function setBudget(state: ClusterState, line: string): ClusterState {
  const [, takeoversMax = '', , windowS = ''] = line.split(/\s+/)
  const budgets = {
    ...state.cluster.budgets,
    takeoversMax: Number(takeoversMax),
    takeoverWindowMs: Number(windowS) * 1000,
  }
  return { ...state, cluster: { ...state.cluster, budgets } }
}

/** Cuts a line into its words. */
export function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
