import type { ConfigurationChangeJson, RequestJson } from '../api/wire.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import type { DataServiceName } from '../model/names.ts'
import { changesBetween } from './changes-between.ts'
import { checkConfiguration } from './check-configuration.ts'
import type { ParsedClusterFile } from './cluster-file-parse.ts'
import { readConfiguration } from './cluster-file-read.ts'
import type { ClusterFile } from './cluster-file-shape.ts'
import { type Configuration, configurationOf } from './configuration.ts'
import { weighChanges } from './decide-changes.ts'
import type { Problem } from './problem.ts'

/** What a cluster file asks for in the present state. */
export interface ClusterFileVerdict {
  /** To be committed together; empty = the configuration is what the file says. */
  readonly changes: readonly ConfigurationChange[]
  /** To be asked for afterwards, in this order: what runs can only be changed by a reconfiguration. */
  readonly requests: readonly RequestJson[]
  /** What is configured in a section of the file but not named there, and stays because nobody asked to prune. */
  readonly kept: readonly ConfigurationChangeJson[]
}

/**
 * Decides what a cluster file changes. Throws `CONFIG_INVALID` with every problem, each with its line: names, references, collisions, limits,
 * and what must not change in the present state. `prune`: what is not named in its section is removed.
 */
export function decideClusterFile(parsed: ParsedClusterFile, state: ClusterState, prune: boolean): ClusterFileVerdict {
  const present = configurationOf(state)
  const { wanted, problems } = readConfiguration(parsed.file, present, prune)
  const after = withRunningServices(wanted, state)
  const weighed = weighChanges(state, after)
  const all = withoutDoubles([...problems, ...checkConfiguration(wanted), ...weighed.problems])
  if (all.length > 0) throw parsed.refuse(all.map(withHint))
  return {
    changes: weighed.changes,
    requests: requestsOf(parsed.file, wanted, state),
    kept: keptOf(parsed.file, present, prune),
  }
}

/** A service that is on keeps its logical hosts until a reconfiguration starts and stops it there; on and off is never written directly. */
function withRunningServices(wanted: Configuration, state: ClusterState): Configuration {
  const dataServices = new Map(
    [...wanted.dataServices].map(([name, service]) => {
      const before = state.dataServices.get(name)
      const hosts = before?.state === 'on' ? before.logicalHosts : service.logicalHosts
      return [name, { ...service, state: before?.state ?? 'off', logicalHosts: hosts }] as const
    }),
  )
  return { ...wanted, dataServices }
}

function requestsOf(file: ClusterFile, wanted: Configuration, state: ClusterState): readonly RequestJson[] {
  const before = (name: DataServiceName) => state.dataServices.get(name)
  const services = [...wanted.dataServices.values()]
  const stateOf = (name: string): 'on' | 'off' | undefined => file.dataServices?.[name]?.state
  const off = services.filter(({ name }) => stateOf(name) === 'off' && before(name)?.state === 'on')
  const on = services.filter(({ name }) => stateOf(name) === 'on' && before(name)?.state !== 'on')
  const moved = services.flatMap((service): readonly RequestJson[] => {
    const running = before(service.name)
    if (running?.state !== 'on') return []
    const add = service.logicalHosts.filter((at) => !running.logicalHosts.includes(at))
    const remove = running.logicalHosts.filter((at) => !service.logicalHosts.includes(at))
    return add.length + remove.length === 0 ? [] : [{ kind: 'service-hosts', service: service.name, add, remove }]
  })
  return [
    ...(off.length === 0 ? [] : [{ kind: 'services-off' as const, services: off.map(({ name }) => name) }]),
    ...moved,
    ...(on.length === 0 ? [] : [{ kind: 'services-on' as const, services: on.map(({ name }) => name) }]),
  ]
}

function keptOf(file: ClusterFile, present: Configuration, prune: boolean): readonly ConfigurationChangeJson[] {
  if (prune) return []
  const everything = readConfiguration(file, present, true).wanted
  return changesBetween(present, everything).flatMap((change): readonly ConfigurationChangeJson[] => {
    const kind = REMOVALS[change.kind]
    if (kind === undefined || !('name' in change)) return []
    return [{ kind: 'remove', what: `${kind} ${change.name}`, lines: [], needsPrune: true }]
  })
}

const REMOVALS: Readonly<Partial<Record<ConfigurationChange['kind'], string>>> = {
  'delete-network': 'network',
  'delete-fence-device': 'fence device',
  'delete-physical-host': 'physical host',
  'delete-disk-group': 'disk group',
  'delete-logical-host': 'logical host',
  'delete-data-service': 'data service',
}

function withoutDoubles(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
}

function withHint(problem: Problem): Problem {
  return problem.hint === undefined ? problem : { ...problem, message: `${problem.message}. ${problem.hint}` }
}
