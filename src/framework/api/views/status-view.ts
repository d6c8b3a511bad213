import type { NetworkVerdict } from '../../membership/networks.ts'
import type { DataService, LogicalHost } from '../../model/cluster-config.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import { actorOf, isInMotion, type LogicalHostState, type Mastery, masterOf, uncleanOf } from '../../model/mastery.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import type { Reconfiguration } from '../../model/reconfiguration.ts'
import type { Progress } from '../../model/timeline.ts'
import { describeAction, describeMastery } from '../../plan/describe.ts'
import { groupBy } from '../expected-durations.ts'
import { missingOfServicesOn } from '../find-missing.ts'
import type { DatabaseAway, GuardReport, Identity, PublicGroupSeen } from '../services.ts'
import type {
  LogicalHostStatusJson,
  MessageJson,
  PhysicalHostStatusJson,
  ProgressJson,
  ServiceOnHostJson,
  ServiceStatusJson,
  StatusJson,
} from '../wire.ts'
import { inOrder, pathPrefixOf } from './configuration-view.ts'
import { type FencingFacts, viewFencing } from './fencing-view.ts'
import { viewNetworks } from './network-view.ts'
import { viewCause } from './plan-view.ts'
import { viewPublicNetworks } from './public-networks-view.ts'

/** What the status is made of. */
export interface StatusFacts extends FencingFacts {
  readonly identity: Identity
  readonly state: ClusterState
  readonly stampAges: ReadonlyMap<PhysicalHostName, number>
  readonly databaseAway: DatabaseAway | undefined
  readonly networks: readonly NetworkVerdict[]
  readonly publicGroups: readonly PublicGroupSeen[]
  readonly heartbeatTroubles: readonly string[]
  readonly reconfigurations: readonly Reconfiguration[]
  readonly progress: readonly Progress[]
  readonly missingPrograms: ReadonlyMap<PhysicalHostName, readonly string[]>
  readonly guardReports: readonly GuardReport[]
  readonly certificates: StatusJson['certificates']
  readonly voterWarnings: readonly string[]
  readonly messages: readonly MessageJson[]
  readonly nowWallMs: number
}

/** Shows everything that `hastat` shows. */
export function viewStatus(facts: StatusFacts): StatusJson {
  const { identity, state } = facts
  const services = inOrder(state.dataServices)
  const servicesAt = groupBy(
    services.flatMap((service) => service.logicalHosts.map((at) => ({ at, service }))),
    ({ at }) => at,
  )
  const numbered = new Map(facts.reconfigurations.map((reconfiguration) => [reconfiguration.number, reconfiguration]))
  return {
    cluster: state.cluster.name,
    answeredBy: identity.physicalHost,
    version: identity.version,
    atWallMs: facts.nowWallMs,
    revision: state.revision,
    lastReconfiguration: state.lastReconfiguration,
    isStable: ![...state.states.values()].some(({ mastery }) => isInMotion(mastery)),
    physicalHosts: inOrder(state.physicalHosts).map(({ name }) => viewHost(facts, name)),
    logicalHosts: inOrder(state.logicalHosts).flatMap((logicalHost) => {
      const at = state.states.get(logicalHost.name)
      const own = servicesAt.get(logicalHost.name)?.map(({ service }) => service) ?? []
      return at === undefined ? [] : [viewLogicalHost(logicalHost, at, own, numbered.get(at.reconfiguration))]
    }),
    services: services.map((service) => viewServiceStatus(state, service)),
    progress: facts.progress.map(viewProgress),
    databaseAway: viewDatabaseAway(facts),
    certificates: facts.certificates,
    missingPrograms: missingOfServicesOn(state, facts.missingPrograms, identity.root).map(
      ({ host, service, logicalHosts, programs }) => ({ host, service: service.name, logicalHosts, programs }),
    ),
    ...viewNetworks(facts.networks),
    heartbeatTroubles: facts.heartbeatTroubles,
    publicGroups: inOrder(state.members)
      .map(({ host }) => viewPublicNetworks(state, host, host === identity.physicalHost ? facts.publicGroups : []))
      .filter(({ groups }) => groups.length > 0),
    fencing: viewFencing(facts),
    guardReports: facts.guardReports,
    voterWarnings: facts.voterWarnings,
    messages: facts.messages,
  }
}

function viewDatabaseAway({ databaseAway, nowWallMs }: StatusFacts): StatusJson['databaseAway'] {
  if (databaseAway === undefined) return null
  const { awayForMs, actsForMs, promisedBy } = databaseAway
  return { sinceWallMs: nowWallMs - awayForMs, untilWallMs: nowWallMs + actsForMs, promisedBy }
}

/** Shows a step that is running. */
export function viewProgress(progress: Progress): ProgressJson {
  const { reconfiguration, logicalHost, host, kind, step, steps, action, startedWallMs, timeoutMs } = progress
  return {
    reconfiguration,
    logicalHost,
    host,
    half: kind,
    step: step + 1,
    steps,
    sentence: describeAction(action),
    startedWallMs,
    timeoutMs,
  }
}

function viewHost({ state, stampAges, nowWallMs }: StatusFacts, name: PhysicalHostName): PhysicalHostStatusJson {
  const member = state.members.get(name)
  const lives = [...state.states.values()]
  const masters = lives.filter(({ mastery }) => masterOf(mastery) === name).map((life) => life.name)
  const possible = inOrder(state.logicalHosts).filter(({ physicalHosts }) => physicalHosts.includes(name))
  return {
    name,
    membership: member === undefined ? 'not a member' : member.state === 'leaving' ? 'leaving' : 'member',
    incarnation: member?.incarnation ?? null,
    joinedWallMs: member?.joinedWallMs ?? null,
    // A wall clock that was set back must not show a negative time.
    memberForMs: member === undefined ? null : Math.max(0, nowWallMs - member.joinedWallMs),
    stampAgeMs: member === undefined ? null : (stampAges.get(name) ?? null),
    isStable: !lives.some(({ mastery }) => isInMotion(mastery) && actorOf(mastery) === name),
    masters: masters.toSorted(),
    isBackupFor: possible.map((logicalHost) => logicalHost.name).filter((at) => !masters.includes(at)),
  }
}

function viewLogicalHost(
  logicalHost: LogicalHost,
  at: LogicalHostState,
  services: readonly DataService[],
  last: Reconfiguration | undefined,
): LogicalHostStatusJson {
  const { mastery } = at
  return {
    name: at.name,
    ...viewMastery(at),
    uncleanOn: uncleanOf(mastery),
    generation: at.generation,
    reconfiguration: at.reconfiguration,
    cause: last === undefined ? null : viewCause(last.cause),
    sinceWallMs: at.sinceWallMs,
    physicalHosts: logicalHost.physicalHosts,
    diskGroups: logicalHost.diskGroups,
    addresses: logicalHost.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
    switchback: logicalHost.switchback,
    switchbackTo: at.switchbackTo,
    pathPrefix: pathPrefixOf(logicalHost),
    services: services.map((service) => ({ name: service.name, condition: conditionOf(service, at) })),
    without: at.without,
    startFailures: at.startFailures,
    takeOnFailures: at.takeOnFailures,
    leftovers: mastery.kind === 'stuck' ? mastery.leftovers : [],
    takeoversWallMs: at.takeoversWallMs,
  }
}

type MasteryPart = Pick<
  LogicalHostStatusJson,
  'mastery' | 'sentence' | 'master' | 'actor' | 'to' | 'unmasteredWhy' | 'inMaintenance' | 'isInMotion'
>

function viewMastery(at: LogicalHostState): MasteryPart {
  const { mastery } = at
  const destination = 'destination' in mastery ? mastery.destination : undefined
  const why = mastery.kind === 'unmastered' ? mastery.why : destination?.kind === 'nobody' ? destination.why : null
  return {
    mastery: mastery.kind,
    sentence: describeMastery(at),
    master: masterOf(mastery) ?? null,
    actor: actorOf(mastery) ?? null,
    to: destination?.kind === 'to' ? destination.host : null,
    unmasteredWhy: why,
    inMaintenance: isInMaintenance(mastery),
    isInMotion: isInMotion(mastery),
  }
}

/** Tells whether a logical host is deliberately without a master; one that is still being given up for it is not. */
export function isInMaintenance(mastery: Mastery): boolean {
  return mastery.kind === 'unmastered' && mastery.why === 'maintenance'
}

function viewServiceStatus(state: ClusterState, service: DataService): ServiceStatusJson {
  return {
    name: service.name,
    state: service.state,
    version: service.version,
    logicalHosts: service.logicalHosts.flatMap((logicalHost) => {
      const at = state.states.get(logicalHost)
      return at === undefined ? [] : [{ logicalHost, condition: conditionOf(service, at) }]
    }),
  }
}

function conditionOf(service: DataService, { mastery, without }: LogicalHostState): ServiceOnHostJson['condition'] {
  if (isInMotion(mastery)) return 'changing'
  if (service.state === 'off') return 'off'
  if (without.includes(service.name)) return 'without'
  return mastery.kind === 'mastered' ? 'running' : 'down'
}
