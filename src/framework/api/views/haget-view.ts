import { findLogicalHost } from '../../configure/decide-logical-host.ts'
import { findService } from '../../configure/unregister-service.ts'
import { HaError } from '../../errors/ha-error.ts'
import type { LogicalHost, PhysicalHost } from '../../model/cluster-config.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import { masterOf } from '../../model/mastery.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import { HAGET_FIELDS, type HagetJson, type HagetQuery } from '../wire.ts'
import { pathPrefixOf } from './configuration-view.ts'
import { isInMaintenance } from './status-view.ts'

/**
 * Answers one question of `haget -f` on the physical host `me`. Source of the fields: haget(1M), Sun Cluster 2.2 API Developer's Guide.
 * Throws `USAGE` (no such field, or nothing said that it needs), `NOT_FOUND`.
 */
export function viewField(state: ClusterState, query: HagetQuery, me: PhysicalHostName): HagetJson {
  const answer = ANSWERS[query.field]
  if (answer === undefined || !Object.hasOwn(ANSWERS, query.field)) throw noSuchField(query.field)
  return { field: query.field, values: answer({ state, query, me }) }
}

interface Question {
  readonly state: ClusterState
  readonly query: HagetQuery
  readonly me: PhysicalHostName
}

type Answer = (question: Question) => readonly string[]

const ANSWERS: Readonly<Record<string, Answer>> = {
  syslog_facility: ({ state }) => [state.cluster.syslogFacility],
  pathprefix: (question) => [pathPrefixOf(logicalHostOf(question))],
  master: (question) => masterList(question.state, logicalHostOf(question)),
  mastered: ({ state, me }) => namesWhere(state, (logicalHost) => masterList(state, logicalHost)[0] === me),
  not_mastered: ({ state, me }) => namesWhere(state, (logicalHost) => masterList(state, logicalHost)[0] !== me),
  service_is_on: ({ state, query }) => [findService(state, needed(query, 'service')).state === 'on' ? '1' : '0'],
  all_logical_hosts: ({ state }) => namesWhere(state, () => true),
  all_physical_hosts: ({ state }) => [...state.physicalHosts.keys()].toSorted(),
  physical_hosts: (question) => logicalHostOf(question).physicalHosts,
  is_maint: (question) => [isMaintenance(question) ? '1' : '0'],
  names_on_subnets: (question) => physicalHostOf(question).publicNames,
  private_links: (question) => physicalHostOf(question).privateLinks,
  vfstab_file: (question) => {
    logicalHostOf(question)
    return []
  },
  cluster_name: ({ state }) => [state.cluster.name],
  local_physical_host: ({ me }) => [me],
  members: ({ state }) => [...state.members.keys()].toSorted(),
  all_services: ({ state }) => [...state.dataServices.keys()].toSorted(),
  services: (question) => {
    const { name } = logicalHostOf(question)
    const services = [...question.state.dataServices.values()].filter(({ logicalHosts }) => logicalHosts.includes(name))
    return services.map((service) => service.name).toSorted()
  },
  logical_addresses: (question) => logicalHostOf(question).addresses.map(({ address }) => address),
}

function masterList(state: ClusterState, { name }: LogicalHost): readonly string[] {
  const at = state.states.get(name)
  const master = at === undefined ? undefined : masterOf(at.mastery)
  return master === undefined ? [] : [master]
}

function namesWhere(state: ClusterState, isMeant: (logicalHost: LogicalHost) => boolean): readonly string[] {
  return [...state.logicalHosts.values()]
    .filter(isMeant)
    .map(({ name }) => name)
    .toSorted()
}

function isMaintenance(question: Question): boolean {
  const at = question.state.states.get(logicalHostOf(question).name)
  return at !== undefined && isInMaintenance(at.mastery)
}

function logicalHostOf({ state, query }: Question): LogicalHost {
  return findLogicalHost(state, needed(query, 'host'))
}

function physicalHostOf({ state, query, me }: Question): PhysicalHost {
  const name = query.host ?? me
  const found = [...state.physicalHosts.values()].find((host) => host.name === name)
  if (found !== undefined) return found
  throw new HaError('NOT_FOUND', `there is no physical host ${name}`, {
    hint: `Configured are: ${[...state.physicalHosts.keys()].toSorted().join(', ')}.`,
  })
}

function needed(query: HagetQuery, part: 'host' | 'service'): string {
  const given = query[part]
  if (given !== undefined && given !== '') return given
  const words = part === 'host' ? 'a logical host (-h NAME)' : 'a data service (-s NAME)'
  throw new HaError('USAGE', `the field ${query.field} is about ${words}, and none is given`)
}

function noSuchField(field: string): HaError {
  return new HaError('USAGE', `there is no field '${field}'`, {
    hint: `Fields are: ${HAGET_FIELDS.map(({ name }) => name).join(', ')}.`,
  })
}
