import { checkBackupGroups } from './check-backup-groups.ts'
import { checkCluster } from './check-cluster.ts'
import { checkDataServices } from './check-data-services.ts'
import { checkDiskGroups } from './check-disk-groups.ts'
import { checkFencing } from './check-fencing.ts'
import { checkLogicalHosts } from './check-logical-hosts.ts'
import { checkMountPoints } from './check-mount-points.ts'
import { checkNetworks } from './check-networks.ts'
import type { Configuration } from './configuration.ts'
import { DATA_SERVICES_MAX, DISK_GROUPS_MAX, LOGICAL_HOSTS_MAX, PHYSICAL_HOSTS_MAX, TEXT_LENGTH_MAX } from './limits.ts'
import type { Problem } from './problem.ts'

/**
 * Finds everything that makes a configuration meaningless, whatever the cluster is doing: what refers to nothing, what is there twice, what
 * cannot fit. Empty = it can be committed, as far as `checkChanges` allows it in the present state.
 */
export function checkConfiguration(configuration: Configuration): readonly Problem[] {
  return [
    ...checkLimits(configuration),
    ...checkCluster(configuration.cluster),
    ...checkPhysicalHosts(configuration),
    ...checkNetworks(configuration),
    ...checkBackupGroups(configuration),
    ...checkFencing(configuration),
    ...checkDiskGroups(configuration),
    ...checkLogicalHosts(configuration),
    ...checkMountPoints(configuration),
    ...checkDataServices(configuration),
  ]
}

function checkLimits(configuration: Configuration): readonly Problem[] {
  const limits = [
    { part: 'physicalHosts', what: 'physical hosts', max: PHYSICAL_HOSTS_MAX },
    { part: 'diskGroups', what: 'disk groups', max: DISK_GROUPS_MAX },
    { part: 'logicalHosts', what: 'logical hosts', max: LOGICAL_HOSTS_MAX },
    { part: 'dataServices', what: 'data services', max: DATA_SERVICES_MAX },
  ] as const
  return limits.flatMap(({ part, what, max }) => {
    const count = configuration[part].size
    if (count <= max) return []
    return [
      { code: 'LIMIT_REACHED', path: [part], message: `${count} ${what} are more than the ${max} that Haven allows` },
    ]
  })
}

// Loose on purpose: an address or any host name; empty and spaces would break the lists that `haget` prints.
const NETWORK_NAME = /^[^\s,]+$/

function checkPhysicalHosts({ physicalHosts }: Configuration): readonly Problem[] {
  return [...physicalHosts.values()].flatMap((host) =>
    (['publicNames', 'privateLinks'] as const).flatMap((field) =>
      host[field].flatMap((name, index): readonly Problem[] => {
        if (NETWORK_NAME.test(name) && name.length <= TEXT_LENGTH_MAX) return []
        const message = `'${name}' cannot be a name of physical host ${host.name} on a network`
        return [{ code: 'CONFIG_INVALID', path: ['physicalHosts', host.name, field, index], message }]
      }),
    ),
  )
}
