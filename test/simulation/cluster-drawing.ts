import type {
  ClusterConfig,
  DataService,
  DiskGroup,
  LogicalHost,
  Method,
  MethodName,
  PhysicalHost,
} from '../../src/framework/model/cluster-config.ts'
import type { FenceDevice } from '../../src/framework/model/fencing.ts'
import { LATER_DEFAULTS } from '../../src/framework/model/later-defaults.ts'
import {
  type DataServiceName,
  type LogicalHostName,
  type PhysicalHostName,
  parseName,
} from '../../src/framework/model/names.ts'
import { newPhysicalHost } from '../../src/framework/model/new-physical-host.ts'
import type { Random } from './random.ts'

/** The configuration of one history. */
export interface DrawnCluster {
  readonly cluster: ClusterConfig
  readonly physicalHosts: readonly PhysicalHost[]
  readonly fenceDevices: readonly FenceDevice[]
  readonly diskGroups: readonly DiskGroup[]
  readonly logicalHosts: readonly LogicalHost[]
  readonly dataServices: readonly DataService[]
}

/** Draws a cluster: two or three physical hosts, up to four logical hosts, up to three services on each, with dependencies. */
export function drawCluster(random: Random): DrawnCluster {
  const hosts = ['h1', 'h2', 'h3'].slice(0, random.pick([2, 3, 3])).map((name) => parseName('physicalHost', name))
  const logicalHosts = ['ha1', 'ha2', 'ha3', 'ha4']
    .slice(0, random.pick([1, 2, 2, 3, 4]))
    .map((name, index) => drawLogicalHost(random, parseName('logicalHost', name), index, hosts))
  const dataServices = drawServices(
    random,
    logicalHosts.map(({ name }) => name),
  )
  return {
    cluster: {
      name: parseName('cluster', 'sim'),
      timings: { stampMs: 400, guardMs: 1500, abortMs: 400, marginMs: 150 },
      budgets: {
        takeoversMax: 30,
        takeoverWindowMs: 3_600_000,
        evictionsMax: 30,
        evictionWindowMs: 60_000,
        parallelMovesMax: random.pick([1, 2, 8]),
      },
      logicalHostTimeoutS: 20,
      stepTimeoutS: 60,
      syslogFacility: 'daemon',
      ...LATER_DEFAULTS,
    },
    physicalHosts: hosts.map((name) => newPhysicalHost(name)),
    fenceDevices: [],
    diskGroups: logicalHosts.flatMap(({ diskGroups }) =>
      diskGroups.map((name) => ({ kind: 'directory', name, path: `/disks/${name}` })),
    ),
    logicalHosts,
    dataServices,
  }
}

function drawLogicalHost(
  random: Random,
  name: LogicalHostName,
  index: number,
  hosts: readonly PhysicalHostName[],
): LogicalHost {
  const physicalHosts = shuffled(random, hosts).slice(0, random.chance(0.6) ? hosts.length : 2)
  const diskGroups = [`${name}-data`, `${name}-log`]
    .slice(0, random.pick([1, 1, 2]))
    .map((group) => parseName('diskGroup', group))
  return {
    name,
    physicalHosts,
    diskGroups,
    addresses: [{ kind: 'local', address: `127.0.9.${index + 1}`, prefixLength: 32, adapters: {} }],
    switchback: random.chance(0.6) ? 'automatic' : 'manual',
    onStuck: random.chance(0.2) ? 'abort' : 'stay',
  }
}

function drawServices(random: Random, names: readonly LogicalHostName[]): readonly DataService[] {
  const services: DataService[] = []
  for (const name of ['db', 'web', 'mail']
    .slice(0, random.pick([0, 1, 2, 3]))
    .map((text) => parseName('dataService', text))) {
    services.push(
      drawService(
        random,
        name,
        services.map((service) => service.name),
        names,
      ),
    )
  }
  return services
}

function drawService(
  random: Random,
  name: DataServiceName,
  earlier: readonly DataServiceName[],
  names: readonly LogicalHostName[],
): DataService {
  const optional = (method: MethodName): readonly MethodName[] => (random.chance(0.5) ? [method] : [])
  const monitor: readonly MethodName[] = random.chance(0.4) ? ['FM_START', 'FM_STOP'] : []
  const wanted: readonly MethodName[] = [
    'START',
    'STOP',
    ...optional('START_NET'),
    ...optional('STOP_NET'),
    ...optional('ABORT'),
    ...optional('ABORT_NET'),
    ...monitor,
  ]
  const methods = Object.fromEntries(
    wanted.map((method): [MethodName, Method] => [
      method,
      { program: `/opt/${name}/${method.toLowerCase()}`, timeoutS: random.pick([1, 3, 5]) },
    ]),
  )
  const logicalHosts = names.filter(() => random.chance(0.7))
  return {
    name,
    state: random.chance(0.85) ? 'on' : 'off',
    methods,
    baseDirectory: '',
    dependsOn: earlier.filter(() => random.chance(0.4)),
    logicalHosts,
    version: '',
    apiVersion: '',
    packages: [],
  }
}

/** Returns the items in a drawn order. */
export function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
