import { actorOf } from '../../model/mastery.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import { type Breach, type Examined, masteryDiffers, type Rule, stateMoves, stepsOf, withLadders } from './examined.ts'

/** Rules about what the commit of a plan is guarded on: everything it used, so that nothing stale is ever executed. */
export const basisRules: readonly Rule[] = [
  {
    name: 'based-on-logical-hosts',
    severity: 'fatal',
    sentence: 'a plan is refused when a logical host that it has halves for has changed since',
    find: ({ made }) =>
      findUnguarded<LogicalHostName>(
        made.halves.map((half) => half.logicalHost),
        made.basedOn.logicalHosts,
      ),
  },
  {
    name: 'based-on-services',
    severity: 'fatal',
    sentence: 'a plan is refused when a data service on its logical hosts has changed since',
    find: findUnguardedServices,
  },
  {
    name: 'based-on-members',
    severity: 'fatal',
    sentence: 'a plan is refused when a host that is to act for it is not a member any more',
    find: findUnguardedMembers,
  },
]

function findUnguarded<Name extends string>(used: readonly Name[], guarded: readonly Name[]): readonly Breach[] {
  return [...new Set(used)]
    .filter((name) => !guarded.includes(name))
    .map((name) => ({ subject: name, text: 'used, but not among what the plan is based on' }))
}

function findUnguardedServices({ before, made }: Examined): readonly Breach[] {
  const written = made.changes.flatMap((change) => (change.kind === 'service' ? [change.service.name] : []))
  const called = made.halves
    .flatMap(withLadders)
    .flatMap(({ action }) => (action.kind === 'method' ? [action.service] : []))
  const moved = new Set(stepsOf(made.halves, 'import').map(({ half }) => half.logicalHost))
  const configured = [...before.dataServices.values()]
    .filter(({ logicalHosts }) => logicalHosts.some((name) => moved.has(name)))
    .map(({ name }) => name)
  return findUnguarded<DataServiceName>([...called, ...configured], [...made.basedOn.dataServices, ...written])
}

function findUnguardedMembers(x: Examined): readonly Breach[] {
  const { made } = x
  const written = made.changes.flatMap((change) => {
    if (change.kind === 'member-joined') return [change.member.host]
    return change.kind === 'member-leaving' || change.kind === 'member-gone' ? [change.host] : []
  })
  const acting = made.halves.flatMap(({ kind, host }) => (kind.startsWith('watch') ? [] : [host]))
  const actors = stateMoves(x)
    .filter(masteryDiffers)
    .flatMap(({ after }) => actorOf(after.mastery) ?? [])
  return findUnguarded<PhysicalHostName>([...acting, ...actors], [...made.basedOn.members, ...written])
}
