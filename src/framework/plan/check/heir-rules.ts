import { FORMER_LISTS_MAX, type LogicalHostState, type Mastery, uncleanOf } from '../../model/mastery.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import { configOf, type Examined, type Rule, type StateMove, stateMoves } from './examined.ts'

/** Rules about who may take over from a host that may still act, by the promises of those it knows. */
export const heirRules: readonly Rule[] = [
  {
    name: 'only-heirs-take-on',
    severity: 'fatal',
    sentence: 'what a lost host may still hold goes to nobody whom that host did not know as a possible master',
    find: eachMove((_x, { after }) => {
      const to = takerOf(after.mastery)
      return to === undefined || after.heirs === null || after.heirs.includes(to) ? [] : [`goes to ${to}`]
    }),
  },
  {
    name: 'heirs-knew-each-other',
    severity: 'fatal',
    sentence: 'heirs of a host that expired were possible masters in every list that it may have read last',
    find: eachMove(findStrangers),
  },
]

function eachMove(find: (x: Examined, move: StateMove) => readonly string[]): Rule['find'] {
  return (x) => stateMoves(x).flatMap((move) => find(x, move).map((text) => ({ subject: move.name, text })))
}

/** The host that takes it on, now or after a give-up; undefined when nobody does. */
function takerOf(mastery: Mastery): PhysicalHostName | undefined {
  if (mastery.kind === 'takingOn') return mastery.by
  return mastery.kind === 'givingUp' && mastery.destination.kind === 'to' ? mastery.destination.host : undefined
}

/** While a host that expired may hold it, the heirs are some of those that it knew, and they are known at all. */
function findStrangers(x: Examined, { before, after }: StateMove): readonly string[] {
  const mayHold = uncleanOf(after.mastery).filter((host) => !x.after.members.has(host))
  const expired = x.made.cause.kind === 'hosts-lost' ? x.made.cause.hosts : []
  const losses = expired.filter(({ host, evidence }) => evidence === 'expired' && mayHold.includes(host))
  const isNew = losses.some(({ host }) => holderOf(before.mastery) === host)
  if (mayHold.length === 0) return []
  if (!isNew) {
    const wasProved =
      x.made.cause.kind === 'hosts-lost' && x.made.cause.hosts.some(({ evidence }) => evidence !== 'expired')
    return before.heirs !== null && after.heirs === null && !wasProved ? ['forgets its heirs'] : []
  }
  if (after.heirs === null) return ['has no list of heirs']
  return losses.flatMap(({ host, seenRevision }) => {
    const strangers = (after.heirs ?? []).filter((heir) => !wasKnown(x, before, heir, seenRevision))
    return strangers.map(
      (heir) => `${heir} is an heir of ${host}, which had read revision ${seenRevision ?? 'unknown'}`,
    )
  })
}

function wasKnown(
  x: Examined,
  { name, formerLists }: LogicalHostState,
  heir: PhysicalHostName,
  seenRevision: number | undefined,
): boolean {
  if (seenRevision === undefined || configOf(x, name)?.physicalHosts.includes(heir) !== true) return false
  const present = x.before.logicalHostRevisions.get(name) ?? 0
  const ends = [...formerLists.slice(1).map(({ heldAt }) => heldAt), present]
  const isCutOff = formerLists.length >= FORMER_LISTS_MAX && seenRevision < (formerLists[0]?.heldAt ?? 0)
  const omits = formerLists.some(
    ({ physicalHosts }, index) => (ends[index] ?? 0) > seenRevision && !physicalHosts.includes(heir),
  )
  return !isCutOff && !omits
}

function holderOf(mastery: Mastery): PhysicalHostName | undefined {
  if (mastery.kind === 'unmastered') return undefined
  return mastery.kind === 'stuck' ? mastery.on : mastery.by
}
