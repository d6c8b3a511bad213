import { actorOf, type Mastery } from '../../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import {
  type Breach,
  configOf,
  type Examined,
  masteryDiffers,
  type Rule,
  type StateMove,
  stateMoves,
} from './examined.ts'

/** Rules about public networks: nothing goes where its clients could not reach it, and nothing moves but for a fault of its own host. */
export const networkRules: readonly Rule[] = [
  {
    name: 'goes-where-addresses-work',
    severity: 'fatal',
    sentence: 'no logical host goes to a host on which an adapter or group that its addresses name has failed',
    find: (x) => stateMoves(x).flatMap((move) => findDeafDestination(x, move)),
  },
  {
    name: 'interface-moves-its-own',
    severity: 'fatal',
    sentence:
      'a failed interface moves what has addresses on it, away from its host, while that host says that it has failed',
    find: findUncalledMoves,
  },
]

/** Names the groups (or adapters that are in none) that the addresses of a logical host are on, on a host. */
function groupsOf(x: Examined, name: LogicalHostName, host: PhysicalHostName): readonly string[] {
  const groups = x.before.physicalHosts.get(host)?.backupGroups ?? []
  const named = (configOf(x, name)?.addresses ?? []).flatMap(({ adapters }) => adapters[host] ?? [])
  return named.map((adapter) => groups.find(({ adapters }) => adapters.includes(adapter))?.name ?? adapter)
}

function hasFailed({ before }: Examined, host: PhysicalHostName, group: string): boolean {
  const sight = before.sights.get(host)
  return (
    sight?.incarnation === before.members.get(host)?.incarnation &&
    sight?.groups.some(({ name, state }) => name === group && state === 'failed') === true
  )
}

function boundFor(mastery: Mastery): PhysicalHostName | undefined {
  if (mastery.kind === 'takingOn') return mastery.by
  return mastery.kind === 'givingUp' && mastery.destination.kind === 'to' ? mastery.destination.host : undefined
}

function findDeafDestination(x: Examined, move: StateMove): readonly Breach[] {
  const to = boundFor(move.after.mastery)
  const was = boundFor(move.before.mastery) ?? actorOf(move.before.mastery)
  if (to === undefined || to === was || !masteryDiffers(move)) return []
  return groupsOf(x, move.name, to)
    .filter((group) => hasFailed(x, to, group))
    .map((group) => ({ subject: move.name, text: `goes to ${to}, where ${group} has failed` }))
}

function findUncalledMoves(x: Examined): readonly Breach[] {
  const { cause } = x.made
  if (cause.kind !== 'interface-failed') return []
  const moved = stateMoves(x).filter((move) => masteryDiffers(move))
  return moved.flatMap((move) => {
    const isNamed = groupsOf(x, move.name, cause.host).includes(cause.group)
    const isThere = actorOf(move.before.mastery) === cause.host
    const isCalledFor = isNamed && isThere && hasFailed(x, cause.host, cause.group)
    return isCalledFor ? [] : [{ subject: move.name, text: `is moved because of ${cause.group} on ${cause.host}` }]
  })
}
