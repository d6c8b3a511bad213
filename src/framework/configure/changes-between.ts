import type { ConfigurationChange } from '../model/configuration-change.ts'
import { isSameValue } from '../model/same-value.ts'
import type { Configuration } from './configuration.ts'

/**
 * Lists what has to be changed to get from one configuration to another; empty when they are the same. Order: the cluster, then what is
 * added or changed before what uses it, then removals, users first.
 */
export function changesBetween(before: Configuration, after: Configuration): readonly ConfigurationChange[] {
  return [
    ...(isSameValue(before.cluster, after.cluster) ? [] : [clusterChange(after)]),
    ...puts(before, after),
    ...deletes(before, after),
  ]
}

function clusterChange(after: Configuration): ConfigurationChange {
  return { kind: 'cluster', cluster: after.cluster }
}

function puts(before: Configuration, after: Configuration): readonly ConfigurationChange[] {
  return [
    ...changed(before.networks, after.networks).map((network) => ({ kind: 'put-network', network }) as const),
    ...changed(before.fenceDevices, after.fenceDevices).map(
      (fenceDevice) => ({ kind: 'put-fence-device', fenceDevice }) as const,
    ),
    ...changed(before.physicalHosts, after.physicalHosts).map(
      (physicalHost) => ({ kind: 'put-physical-host', physicalHost }) as const,
    ),
    ...changed(before.diskGroups, after.diskGroups).map(
      (diskGroup) => ({ kind: 'put-disk-group', diskGroup }) as const,
    ),
    ...changed(before.logicalHosts, after.logicalHosts).map(
      (logicalHost) => ({ kind: 'put-logical-host', logicalHost }) as const,
    ),
    ...changed(before.dataServices, after.dataServices).map(
      (dataService) => ({ kind: 'put-data-service', dataService }) as const,
    ),
  ]
}

function deletes(before: Configuration, after: Configuration): readonly ConfigurationChange[] {
  return [
    ...gone(before.dataServices, after.dataServices).map((name) => ({ kind: 'delete-data-service', name }) as const),
    ...gone(before.logicalHosts, after.logicalHosts).map((name) => ({ kind: 'delete-logical-host', name }) as const),
    ...gone(before.diskGroups, after.diskGroups).map((name) => ({ kind: 'delete-disk-group', name }) as const),
    ...gone(before.physicalHosts, after.physicalHosts).map((name) => ({ kind: 'delete-physical-host', name }) as const),
    ...gone(before.fenceDevices, after.fenceDevices).map((name) => ({ kind: 'delete-fence-device', name }) as const),
    ...gone(before.networks, after.networks).map((name) => ({ kind: 'delete-network', name }) as const),
  ]
}

function changed<Name, Value>(before: ReadonlyMap<Name, Value>, after: ReadonlyMap<Name, Value>): readonly Value[] {
  return [...after].filter(([name, value]) => !isSameValue(before.get(name), value)).map(([, value]) => value)
}

function gone<Name>(before: ReadonlyMap<Name, unknown>, after: ReadonlyMap<Name, unknown>): readonly Name[] {
  return [...before.keys()].filter((name) => !after.has(name))
}
