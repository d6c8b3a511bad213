import type { DataService, LogicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import { mountPointOf } from './steps.ts'

/** What a physical host must be able to execute for one service. */
export interface NeededPrograms {
  readonly service: DataService
  /** Logical hosts of the service that the host is a possible master of; at least one. */
  readonly logicalHosts: readonly LogicalHostName[]
  /** Absolute paths, sorted, each once; may be empty. */
  readonly programs: readonly string[]
}

/**
 * Lists what a physical host must be able to execute as a possible master, services that are on first, then by name. Programs that lie on a disk group of
 * the service are left out: they come with it, and are not to be seen before. `root`: `HAVEN_ROOT`, below which disk groups are mounted.
 */
export function neededPrograms(state: ClusterState, host: PhysicalHostName, root: string): readonly NeededPrograms[] {
  const services = [...state.dataServices.values()].toSorted((a, b) => rank(a).localeCompare(rank(b)))
  return services.flatMap((service): readonly NeededPrograms[] => {
    const own = service.logicalHosts.flatMap((name) => state.logicalHosts.get(name) ?? [])
    const mine = own.filter(({ physicalHosts }) => physicalHosts.includes(host))
    if (mine.length === 0) return []
    const moving = mine.flatMap((logicalHost) => mountPointsOf(logicalHost, root))
    const all = new Set(Object.values(service.methods).map(({ program }) => program))
    const programs = [...all].filter((program) => !moving.some((place) => program.startsWith(`${place}/`)))
    return [{ service, logicalHosts: mine.map(({ name }) => name), programs: programs.toSorted() }]
  })
}

function rank({ state, name }: DataService): string {
  return `${state === 'on' ? 0 : 1} ${name}`
}

function mountPointsOf(logicalHost: LogicalHost, root: string): readonly string[] {
  const before = root === '/' ? '' : root
  return logicalHost.diskGroups.map((diskGroup) => `${before}${mountPointOf(logicalHost, diskGroup)}`)
}
