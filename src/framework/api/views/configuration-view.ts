import {
  type DataService,
  type DiskGroup,
  type LogicalHost,
  METHOD_NAMES,
  type PhysicalHost,
} from '../../model/cluster-config.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import { mountPointOf } from '../../plan/steps.ts'
import type { ConfigurationJson, DiskGroupJson, LogicalHostJson, PhysicalHostJson, ServiceJson } from '../wire.ts'

/** Shows everything that is configured. */
export function viewConfiguration(state: ClusterState): ConfigurationJson {
  const { name, logicalHostTimeoutS, stepTimeoutS, timings, heartbeats, budgets, fencing, rejoins, syslogFacility } =
    state.cluster
  return {
    revision: state.revision,
    cluster: {
      name,
      logicalHostTimeoutS,
      stepTimeoutS,
      timings: { ...timings },
      heartbeats: { ...heartbeats },
      budgets: { ...budgets },
      fencing: { ...fencing },
      rejoins: { ...rejoins },
      syslogFacility,
    },
    networks: inOrder(state.networks),
    fenceDevices: inOrder(state.fenceDevices),
    physicalHosts: inOrder(state.physicalHosts).map(viewPhysicalHost),
    diskGroups: inOrder(state.diskGroups).map(viewDiskGroup),
    logicalHosts: inOrder(state.logicalHosts).map(viewLogicalHost),
    services: inOrder(state.dataServices).map(viewService),
  }
}

/** Shows one registration. */
export function viewService(service: DataService): ServiceJson {
  return {
    name: service.name,
    state: service.state,
    methods: METHOD_NAMES.flatMap((method) => {
      const registered = service.methods[method]
      return registered === undefined ? [] : [{ method, program: registered.program, timeoutS: registered.timeoutS }]
    }),
    baseDirectory: service.baseDirectory,
    dependsOn: service.dependsOn,
    logicalHosts: service.logicalHosts,
    version: service.version,
    apiVersion: service.apiVersion,
    packages: service.packages,
  }
}

/** Lists the values of a map in order of their names. */
export function inOrder<Value>(map: ReadonlyMap<string, Value>): readonly Value[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
}

/** Where the administrative file system of a logical host is mounted, below `HAVEN_ROOT`. */
export function pathPrefixOf(logicalHost: LogicalHost): string {
  const [first] = logicalHost.diskGroups
  return first === undefined ? `/${logicalHost.name}` : mountPointOf(logicalHost, first)
}

function viewPhysicalHost({
  name,
  publicNames,
  privateLinks,
  interfaces,
  backupGroups,
  fenceLevels,
}: PhysicalHost): PhysicalHostJson {
  return { name, publicNames, privateLinks, interfaces, backupGroups, fenceLevels }
}

function viewDiskGroup(group: DiskGroup): DiskGroupJson {
  return group.kind === 'directory'
    ? { kind: 'directory', name: group.name, path: group.path }
    : {
        kind: 'filesystem',
        name: group.name,
        fileSystems: group.fileSystems,
        reservation: group.reservation?.program ?? null,
      }
}

function viewLogicalHost(logicalHost: LogicalHost): LogicalHostJson {
  const { name, physicalHosts, diskGroups, addresses, switchback, onStuck } = logicalHost
  const pathPrefix = pathPrefixOf(logicalHost)
  return { name, physicalHosts, diskGroups, addresses, switchback, onStuck, pathPrefix }
}
