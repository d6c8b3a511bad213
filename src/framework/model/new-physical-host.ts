import type { PhysicalHost } from './cluster-config.ts'
import type { PhysicalHostName } from './names.ts'

/** Makes the record of a host of which nothing but its name is known. */
export function newPhysicalHost(name: PhysicalHostName): PhysicalHost {
  return { name, publicNames: [], privateLinks: [], interfaces: [], backupGroups: [], fenceLevels: [] }
}
