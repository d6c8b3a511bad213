import { actorOf, type LogicalHostState } from '../../model/mastery.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import type { StateChange } from '../../model/reconfiguration.ts'
import { type Breach, type Examined, isSame, lostHosts, type Rule, stateMoves } from './examined.ts'

/** Rules about the records that a plan writes: membership, services, and the bookkeeping of logical hosts. */
export const changeRules: readonly Rule[] = [
  {
    name: 'number-follows',
    severity: 'fatal',
    sentence: 'plans are numbered without a gap',
    find: ({ before, made }) =>
      made.number === before.lastReconfiguration + 1
        ? []
        : [{ subject: `${made.number}`, text: `follows reconfiguration ${before.lastReconfiguration}` }],
  },
  {
    name: 'one-change-each',
    severity: 'fatal',
    sentence: 'a plan writes each record once',
    find: findSecondChanges,
  },
  {
    name: 'member-comes-by-joining',
    severity: 'fatal',
    sentence:
      'a host becomes a member by its own joining only, with the number of that reconfiguration as its incarnation',
    find: findWrongJoins,
  },
  {
    name: 'member-goes-by-loss-or-leave',
    severity: 'fatal',
    sentence: 'a member goes when it is lost or has left, and then it really goes',
    find: findWrongGoing,
  },
  {
    name: 'lost-were-members',
    severity: 'fatal',
    sentence: 'only members can be lost, and no more of them at a time than the budget says',
    find: findWrongLosses,
  },
  {
    name: 'actor-is-member',
    severity: 'fatal',
    sentence: 'whoever acts on a logical host is a member',
    find: ({ after }) =>
      [...after.states.values()].flatMap((state) => {
        const actor = actorOf(state.mastery)
        if (actor === undefined || after.members.has(actor)) return []
        return [{ subject: state.name, text: `left to ${actor}, which is no member` }]
      }),
  },
  {
    name: 'service-as-asked',
    severity: 'fatal',
    sentence: 'a data service changes as the cause says, and in nothing else',
    find: findWrongServiceChanges,
  },
  {
    name: 'dependencies-stay-on',
    severity: 'fatal',
    sentence:
      'no service that is on depends on one that the plan switches off, and none is switched on before what it depends on',
    find: findUnmetDependencies,
  },
  {
    name: 'failures-kept-once',
    severity: 'fatal',
    sentence: 'a failure is kept once for each service and host',
    find: (x) => stateMoves(x).flatMap(({ after }) => findDoubleFailures(after)),
  },
]

function findSecondChanges({ made }: Examined): readonly Breach[] {
  const keys = made.changes.map(recordOf)
  return keys
    .filter((key, index) => keys.indexOf(key) !== index)
    .map((key) => ({ subject: key, text: 'written twice' }))
}

function recordOf(change: StateChange): string {
  if (change.kind === 'logical-host') return `mastery/${change.state.name}`
  if (change.kind === 'service') return `dataServices/${change.service.name}`
  return `members/${change.kind === 'member-joined' ? change.member.host : change.host}`
}

function findWrongJoins({ made }: Examined): readonly Breach[] {
  const { cause } = made
  const joiner = cause.kind === 'cluster-started' || cause.kind === 'host-joined' ? cause.host : undefined
  const joined = made.changes.flatMap((change) => (change.kind === 'member-joined' ? [change.member] : []))
  const wrong = joined
    .filter((member) => member.host !== joiner || member.incarnation !== made.number || member.state !== 'joined')
    .map(({ host, incarnation }) => ({ subject: host, text: `joins as incarnation ${incarnation} by ${cause.kind}` }))
  if (joiner === undefined || joined.some(({ host }) => host === joiner)) return wrong
  return [...wrong, { subject: joiner, text: 'does not become a member' }]
}

function findWrongGoing(x: Examined): readonly Breach[] {
  const { cause, changes } = x.made
  const toGo: readonly PhysicalHostName[] = cause.kind === 'host-left' ? [cause.host] : lostMembers(x)
  const gone = changes.flatMap((change) => (change.kind === 'member-gone' ? [change.host] : []))
  const leaving = changes.flatMap((change) => (change.kind === 'member-leaving' ? [change.host] : []))
  return [
    ...gone.filter((host) => !toGo.includes(host)).map((host) => ({ subject: host, text: `removed by ${cause.kind}` })),
    ...toGo.filter((host) => !gone.includes(host)).map((host) => ({ subject: host, text: 'stays a member' })),
    ...leaving
      .filter((host) => cause.kind !== 'host-leaving' || cause.host !== host)
      .map((host) => ({ subject: host, text: `made to leave by ${cause.kind}` })),
  ]
}

function findWrongLosses(x: Examined): readonly Breach[] {
  const lost = lostHosts(x)
  const { evictionsMax } = x.before.cluster.budgets
  const strangers = lostMembers(x).filter((host) => !x.before.members.has(host))
  return [
    ...strangers.map((host) => ({ subject: host, text: 'was no member' })),
    ...(lost.length > evictionsMax ? [{ subject: lost.join(), text: `more than ${evictionsMax} at a time` }] : []),
  ]
}

/** The hosts that a plan gives up. One that was given up before may be proved off by it only now: then it is no member that could go. */
function lostMembers({ before, made }: Examined): readonly PhysicalHostName[] {
  if (made.cause.kind !== 'hosts-lost') return []
  const isProof = (evidence: string): boolean => evidence === 'fenced' || evidence === 'confirmed'
  return made.cause.hosts
    .filter(({ host, evidence }) => before.members.has(host) || !isProof(evidence))
    .map(({ host }) => host)
}

function findWrongServiceChanges({ before, made }: Examined): readonly Breach[] {
  const { cause } = made
  return made.changes.flatMap((change) => {
    if (change.kind !== 'service') return []
    const { service } = change
    const was = before.dataServices.get(service.name)
    if (was === undefined) return [{ subject: service.name, text: 'is not registered' }]
    const expected =
      cause.kind === 'services-on' && cause.services.includes(service.name)
        ? { ...was, state: 'on' as const }
        : cause.kind === 'services-off' && cause.services.includes(service.name)
          ? { ...was, state: 'off' as const }
          : cause.kind === 'service-hosts' && cause.service === service.name
            ? { ...was, logicalHosts: service.logicalHosts }
            : was
    if (isSame(expected, service)) return []
    return [{ subject: service.name, text: `changed beyond what ${cause.kind} asks for` }]
  })
}

function findUnmetDependencies({ made, after }: Examined): readonly Breach[] {
  const written = new Set(made.changes.flatMap((change) => (change.kind === 'service' ? [change.service.name] : [])))
  return [...after.dataServices.values()].flatMap((service) =>
    service.state === 'off'
      ? []
      : service.dependsOn
          .filter(
            (name) => (written.has(name) || written.has(service.name)) && after.dataServices.get(name)?.state !== 'on',
          )
          .map((name) => ({ subject: service.name, text: `on, while ${name}, on which it depends, is off` })),
  )
}

function findDoubleFailures(state: LogicalHostState): readonly Breach[] {
  const keys = [
    ...state.startFailures.map(({ service, host }) => `${service} on ${host}`),
    ...state.takeOnFailures.map(({ host }) => host),
  ]
  return keys
    .filter((key, index) => keys.indexOf(key) !== index)
    .map((key) => ({ subject: state.name, text: `two failures kept of ${key}` }))
}
