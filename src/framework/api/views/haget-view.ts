import { findLogicalHost } from '../../configure/decide-logical-host.ts'
import { findService } from '../../configure/unregister-service.ts'
import { HaError } from '../../errors/ha-error.ts'
import type { NetworkVerdict } from '../../membership/networks.ts'
import type { LogicalHost, PhysicalHost } from '../../model/cluster-config.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import { masterOf } from '../../model/mastery.ts'
import type { NetworkName, PhysicalHostName } from '../../model/names.ts'
import { HAGET_FIELDS, type HagetJson, type HagetQuery } from '../wire.ts'
import { pathPrefixOf } from './configuration-view.ts'
import { isInMaintenance } from './status-view.ts'

/**
 * Answers one question of `haget -f` on the physical host `me`. Source of the fields: haget(1M), Sun Cluster 2.2 API Developer's Guide.
 * Throws `USAGE` (no such field, or nothing said that it needs), `NOT_FOUND`.
 */
export function viewField(question: Question): HagetJson {
  const { query } = question
  const answer = ANSWERS[query.field]
  if (answer === undefined || !Object.hasOwn(ANSWERS, query.field)) throw noSuchField(query.field)
  return { field: query.field, values: answer(question) }
}

/** What is asked, of what there is. */
export interface Question {
  readonly state: ClusterState
  readonly networks: readonly NetworkVerdict[]
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
  private_links: (question) => privateLinksOf(question),
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
  all_networks: ({ networks }) => networks.map(({ network }) => network.name),
  network_state: (question) => [networkOf(question).state],
  interfaces: (question) => {
    const { name } = physicalHostOf(question)
    return question.networks.flatMap(({ network, interfaces }) =>
      interfaces
        .filter(({ host }) => host === name)
        .map(({ adapter, address, state }) => `${network.name} ${adapter} ${address} ${state}`),
    )
  },
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

/** What the classic field means where only the networks themselves are configured. */
function privateLinksOf(question: Question): readonly string[] {
  const { privateLinks, interfaces } = physicalHostOf(question)
  if (privateLinks.length > 0) return privateLinks
  const roleOf = (name: NetworkName) => question.state.networks.get(name)?.role
  return interfaces.filter(({ network }) => roleOf(network) === 'internal').map(({ address }) => address)
}

function networkOf({ networks, query }: Question): NetworkVerdict {
  const name = needed(query, 'network')
  const found = networks.find(({ network }) => network.name === name)
  if (found !== undefined) return found
  throw new HaError('NOT_FOUND', `there is no network ${name}`, {
    hint: `Configured are: ${networks.map(({ network }) => network.name).join(', ') || 'none'}.`,
  })
}

const WORDS = {
  host: 'a logical host (-h NAME)',
  service: 'a data service (-s NAME)',
  network: 'a network (--network NAME)',
} as const

function needed(query: HagetQuery, part: keyof typeof WORDS): string {
  const given = query[part]
  if (given !== undefined && given !== '') return given
  throw new HaError('USAGE', `the field ${query.field} is about ${WORDS[part]}, and none is given`)
}

function noSuchField(field: string): HaError {
  return new HaError('USAGE', `there is no field '${field}'`, {
    hint: `Fields are: ${HAGET_FIELDS.map(({ name }) => name).join(', ')}.`,
  })
}
