import {
  actorOf,
  type Destination,
  isInMotion,
  type Mastery,
  type UnmasteredWhy,
  uncleanOf,
} from '../../model/mastery.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import type { Cause } from '../../model/reconfiguration.ts'
import {
  type Breach,
  configOf,
  type Examined,
  lostHosts,
  masteryDiffers,
  type Rule,
  type StateMove,
  stateMoves,
} from './examined.ts'

/** Rules about who masters what: how a mastery may pass from one state, and one host, to the next. */
export const masteryRules: readonly Rule[] = [
  {
    name: 'actor-keeps',
    severity: 'fatal',
    sentence: 'an actor is replaced only when its host is lost, or after its own give-up has ended',
    find: eachMove(findReplacedActor),
  },
  {
    name: 'transition-is-legal',
    severity: 'fatal',
    sentence: 'others may only ask a master to give up or adjust; every other step is its own or follows its loss',
    find: eachMove(findIllegalTransition),
  },
  {
    name: 'generation-grows-by-one',
    severity: 'fatal',
    sentence:
      'the generation grows by exactly one when the mastery changes or other halves take its place, and else not',
    find: eachMove((_x, { name, before, after }) => {
      const grown = after.generation - before.generation
      const isOther = masteryDiffers({ name, before, after }) || before.reconfiguration !== after.reconfiguration
      const wanted = isOther ? 1 : 0
      return grown === wanted ? [] : [`the generation grows by ${grown} instead of ${wanted}`]
    }),
  },
  {
    name: 'motion-belongs-to-plan',
    severity: 'fatal',
    sentence: 'what is set in motion names the reconfiguration that holds its halves',
    find: eachMove(({ made }, move) => {
      const { mastery, reconfiguration } = move.after
      if (!masteryDiffers(move) || !isInMotion(mastery) || reconfiguration === made.number) return []
      return [`${mastery.kind} by reconfiguration ${reconfiguration} in reconfiguration ${made.number}`]
    }),
  },
  {
    name: 'unclean-is-kept',
    severity: 'fatal',
    sentence: 'a lost host stays noted as unclean until its disk groups were imported or given up',
    find: eachMove(findForgottenUnclean),
  },
  {
    name: 'unclean-was-lost',
    severity: 'fatal',
    sentence: 'only a host that acted on the logical host when it was lost is unclean',
    find: eachMove(findInventedUnclean),
  },
  {
    name: 'goes-to-fit-host',
    severity: 'fatal',
    sentence: 'a logical host goes only to a joined member among its possible masters',
    find: eachMove(findUnfitDestination),
  },
  {
    name: 'maintenance-lasts',
    severity: 'fatal',
    sentence: 'maintenance is ended by a switchover and by nothing else',
    find: eachMove(findEndedMaintenance),
  },
  {
    name: 'bystanders-stay',
    severity: 'fatal',
    sentence: 'a request moves the logical hosts that it names and no others',
    find: eachMove(({ made, before }, move) => {
      const meant = logicalHostsMeant(made.cause, (service) => before.dataServices.get(service)?.logicalHosts ?? [])
      if (meant === 'any' || meant.includes(move.name) || !masteryDiffers(move)) return []
      return [`moved by ${made.cause.kind}, which does not name it`]
    }),
  },
  {
    name: 'switchover-goes-there',
    severity: 'fatal',
    sentence: 'a switchover goes to the host that was asked for, maintenance to nobody',
    find: eachMove(findWrongDirection),
  },
]

/** Makes a rule's `find` of what one logical host's change has wrong with it. */
function eachMove(find: (x: Examined, move: StateMove) => readonly string[]): (x: Examined) => readonly Breach[] {
  return (x) => stateMoves(x).flatMap((move) => find(x, move).map((text) => ({ subject: move.name, text })))
}

function findReplacedActor(x: Examined, { name, before, after }: StateMove): readonly string[] {
  const from = actorOf(before.mastery)
  const to = actorOf(after.mastery)
  if (from === undefined || from === to) return []
  if (isLost(x, from) || hasGivenUp(x.made.cause, name, before.mastery)) return []
  return [`taken from ${from} (${before.mastery.kind}) and given to ${to ?? 'nobody'} by ${x.made.cause.kind}`]
}

/** The barrier: a host that acts is lost once the plan removes it from the members, and not before; or it was lost already. */
function isLost(x: Examined, host: PhysicalHostName): boolean {
  return (lostHosts(x).includes(host) || !x.before.members.has(host)) && !x.after.members.has(host)
}

function hasGivenUp(cause: Cause, name: LogicalHostName, mastery: Mastery): boolean {
  return (
    cause.kind === 'heir-lost' && cause.logicalHost === name && mastery.kind === 'givingUp' && mastery.by === cause.host
  )
}

/** What a plan may make of a mastery while its actor lives. */
const asked: Readonly<Record<Mastery['kind'], readonly Mastery['kind'][]>> = {
  unmastered: ['unmastered', 'takingOn'],
  takingOn: [],
  mastered: ['givingUp', 'adjusting'],
  adjusting: [],
  givingUp: ['givingUp'],
  stuck: [],
}
/** What a plan may make of it when the actor itself planned, at the end of its half or because it leaves. */
const byActor: Readonly<Record<Mastery['kind'], readonly Mastery['kind'][]>> = {
  ...asked,
  takingOn: ['givingUp', 'takingOn'],
  adjusting: ['adjusting', 'givingUp', 'mastered'],
  givingUp: ['givingUp', 'takingOn', 'unmastered'],
  stuck: ['givingUp'],
}
const afterLoss: readonly Mastery['kind'][] = ['takingOn', 'unmastered']

function findIllegalTransition(x: Examined, move: StateMove): readonly string[] {
  const from = move.before.mastery
  const to = move.after.mastery
  if (!masteryDiffers(move)) return []
  const actor = actorOf(from)
  const legal =
    actor !== undefined && isLost(x, actor)
      ? afterLoss
      : (plannedByActor(x.made.cause, move.name, actor) ? byActor : asked)[from.kind]
  return legal.includes(to.kind) ? [] : [`${from.kind} becomes ${to.kind} by ${x.made.cause.kind}`]
}

function plannedByActor(cause: Cause, name: LogicalHostName, actor: PhysicalHostName | undefined): boolean {
  switch (cause.kind) {
    case 'half-failed':
    case 'heir-lost':
      return cause.logicalHost === name && cause.host === actor
    case 'host-leaving':
      return cause.host === actor
    case 'cleared':
      return cause.logicalHost === name
    default:
      return false
  }
}

function findForgottenUnclean(x: Examined, { name, before, after }: StateMove): readonly string[] {
  const { cause } = x.made
  const actor = actorOf(before.mastery)
  const lostNow = actor !== undefined && isLost(x, actor) ? [actor] : []
  // A START comes behind the imports: when it failed, they had all ended well. A give-up that ended was proved.
  const wasImported = cause.kind === 'half-failed' && cause.start !== undefined && cause.logicalHost === name
  if (wasImported || hasGivenUp(cause, name, before.mastery)) return []
  return [...uncleanOf(before.mastery), ...lostNow]
    .filter((host) => !uncleanOf(after.mastery).includes(host))
    .map((host) => `${host} is no longer noted as unclean`)
}

function findInventedUnclean(x: Examined, { before, after }: StateMove): readonly string[] {
  const known = uncleanOf(before.mastery)
  const actor = actorOf(before.mastery)
  return uncleanOf(after.mastery)
    .filter((host) => !known.includes(host) && !(host === actor && isLost(x, host)))
    .map((host) => `${host} is noted as unclean without having been lost`)
}

function destinationOf(mastery: Mastery): PhysicalHostName | undefined {
  if (mastery.kind === 'takingOn') return mastery.by
  return mastery.kind === 'givingUp' && mastery.destination.kind === 'to' ? mastery.destination.host : undefined
}

function findUnfitDestination(x: Examined, move: StateMove): readonly string[] {
  const to = destinationOf(move.after.mastery)
  if (to === undefined || !masteryDiffers(move)) return []
  const isPossible = configOf(x, move.name)?.physicalHosts.includes(to) === true
  const isJoined = x.after.members.get(to)?.state === 'joined'
  return [
    ...(isPossible ? [] : [`goes to ${to}, which is no possible master of it`]),
    ...(isJoined ? [] : [`goes to ${to}, which is no joined member`]),
  ]
}

function whyNobody(mastery: Mastery): UnmasteredWhy | undefined {
  if (mastery.kind === 'unmastered') return mastery.why
  const destination: Destination | undefined =
    mastery.kind === 'givingUp' || mastery.kind === 'stuck' ? mastery.destination : undefined
  return destination?.kind === 'nobody' ? destination.why : undefined
}

function findEndedMaintenance({ made }: Examined, { name, before, after }: StateMove): readonly string[] {
  if (whyNobody(before.mastery) !== 'maintenance' || whyNobody(after.mastery) === 'maintenance') return []
  if (made.cause.kind === 'switchover' && made.cause.logicalHosts.includes(name)) return []
  return [`${made.cause.kind} ends its maintenance`]
}

type Meant = readonly LogicalHostName[] | 'any'

/** Lists the logical hosts whose mastery a cause may change; `any` when it is about hosts or about everything. */
function logicalHostsMeant(cause: Cause, of: (service: DataServiceName) => readonly LogicalHostName[]): Meant {
  switch (cause.kind) {
    case 'switchover':
    case 'maintenance':
      return cause.logicalHosts
    case 'services-on':
    case 'services-off':
      return cause.services.flatMap((service) => of(service))
    case 'service-hosts':
      return [...cause.add, ...cause.remove]
    case 'half-failed':
    case 'heir-lost':
    case 'cleared':
      return [cause.logicalHost]
    default:
      return 'any'
  }
}

function findWrongDirection({ made }: Examined, move: StateMove): readonly string[] {
  const { cause } = made
  if (!masteryDiffers(move)) return []
  if (cause.kind === 'switchover' && cause.logicalHosts.includes(move.name)) {
    const to = destinationOf(move.after.mastery)
    return to === cause.to ? [] : [`goes to ${to ?? 'nobody'} instead of ${cause.to}`]
  }
  if (cause.kind === 'maintenance' && cause.logicalHosts.includes(move.name)) {
    return whyNobody(move.after.mastery) === 'maintenance' ? [] : ['does not end in maintenance']
  }
  return []
}
