import { actorOf, type Mastery } from '../../model/mastery.ts'
import type { Half, HalfKind } from '../../model/step.ts'
import {
  type Breach,
  configOf,
  type Examined,
  masteryDiffers,
  nameOfHalf,
  type Rule,
  servicesToRun,
  stateMoves,
} from './examined.ts'

const mainKinds: readonly HalfKind[] = ['give-up', 'take-on', 'adjust']

/** Rules about which halves a plan has, for whom, and that they are those of its changes. */
export const halfRules: readonly Rule[] = [
  {
    name: 'halves-are-configured',
    severity: 'fatal',
    sentence: 'a half is for a configured logical host, on one of its possible masters or on the host that holds it',
    find: findStrangeHalves,
  },
  {
    name: 'main-halves-on-members',
    severity: 'fatal',
    sentence: 'only members give up, take on and adjust, and one that leaves takes nothing on',
    find: ({ made, after }) =>
      made.halves.flatMap((half) => {
        const member = after.members.get(half.host)
        // Watch halves of hosts that are away wait for them: a later joiner finds its fault monitors in the last plan.
        if (!mainKinds.includes(half.kind)) return []
        if (member?.state === 'joined' || (member !== undefined && half.kind === 'give-up')) return []
        return [{ subject: half.logicalHost, text: `${nameOfHalf(half)}, which is ${member?.state ?? 'no member'}` }]
      }),
  },
  {
    name: 'one-half-of-a-kind',
    severity: 'fatal',
    sentence:
      'a logical host is given up, taken on and adjusted at most once in a plan, and not adjusted while it moves',
    find: findSecondHalves,
  },
  {
    name: 'halves-fit-the-state',
    severity: 'fatal',
    sentence:
      'each half is started by the state that the plan commits, behind the barrier when another host acts first',
    find: findUnstartedHalves,
  },
  {
    name: 'motion-has-halves',
    severity: 'fatal',
    sentence: 'what a plan sets in motion it also tells how to do, on every host that has to do it',
    find: findMissingHalves,
  },
  {
    name: 'halves-have-changes',
    severity: 'fatal',
    sentence: 'a plan that does something also writes something',
    find: ({ made }) =>
      made.halves.length > 0 && made.changes.length === 0
        ? [{ subject: `${made.number}`, text: 'halves without changes' }]
        : [],
  },
  {
    name: 'says-why',
    severity: 'fatal',
    sentence: 'a plan says one sentence about each logical host whose mastery it changes',
    find: (x) =>
      stateMoves(x)
        .filter(masteryDiffers)
        .filter(({ name }) => x.made.because.filter((because) => because.logicalHost === name).length !== 1)
        .map(({ name }) => ({ subject: name, text: 'not exactly one sentence why' })),
  },
  {
    name: 'configured-once',
    severity: 'fatal',
    sentence: 'no disk group and no address belongs to two logical hosts',
    find: findSharedParts,
  },
  {
    name: 'watched-everywhere',
    severity: 'warning',
    sentence: 'the fault monitors of a logical host that is taken on start on every possible master that is a member',
    find: findUnwatched,
  },
]

function findStrangeHalves(x: Examined): readonly Breach[] {
  return x.made.halves.flatMap((half) => {
    const isPossible = configOf(x, half.logicalHost)?.physicalHosts.includes(half.host) === true
    const state = x.before.states.get(half.logicalHost)
    const isHolder = half.kind === 'give-up' && state !== undefined && actorOf(state.mastery) === half.host
    return isPossible || isHolder ? [] : [{ subject: half.logicalHost, text: nameOfHalf(half) }]
  })
}

function findSecondHalves({ made }: Examined): readonly Breach[] {
  const slots = made.halves.flatMap((half) => {
    const { logicalHost, host, kind } = half
    if (!mainKinds.includes(kind)) return [{ half, slot: `${kind} ${logicalHost} ${host}` }]
    const asAdjusted = kind === 'adjust' ? ['give-up', 'take-on'] : [kind]
    return asAdjusted.map((taken) => ({ half, slot: `${taken} ${logicalHost}` }))
  })
  return slots
    .filter(({ slot }, index) => slots.findIndex((other) => other.slot === slot) !== index)
    .map(({ half }) => ({ subject: half.logicalHost, text: `a second time: ${nameOfHalf(half)}` }))
}

function findUnstartedHalves({ made, after }: Examined): readonly Breach[] {
  return made.halves.flatMap((half) => {
    const state = after.states.get(half.logicalHost)
    if (!mainKinds.includes(half.kind)) return []
    if (state !== undefined && state.reconfiguration === made.number && isStarted(half, state.mastery)) return []
    return [{ subject: half.logicalHost, text: `${nameOfHalf(half)} while it is ${state?.mastery.kind ?? 'unknown'}` }]
  })
}

function isStarted({ kind, host }: Half, mastery: Mastery): boolean {
  switch (mastery.kind) {
    case 'givingUp':
      if (kind === 'give-up') return mastery.by === host
      return kind === 'take-on' && mastery.destination.kind === 'to' && mastery.destination.host === host
    case 'takingOn':
      return kind === 'take-on' && mastery.by === host
    case 'adjusting':
      return kind === 'adjust' && mastery.by === host
    default:
      return false
  }
}

function findMissingHalves(x: Examined): readonly Breach[] {
  return stateMoves(x)
    .filter(masteryDiffers)
    .flatMap(({ name, after }) =>
      halvesDue(after.mastery)
        .filter(
          ([kind, host]) => !x.made.halves.some((h) => h.logicalHost === name && h.kind === kind && h.host === host),
        )
        .map(([kind, host]) => ({ subject: name, text: `no ${kind} on ${host}` })),
    )
}

function halvesDue(mastery: Mastery): readonly (readonly [HalfKind, string])[] {
  switch (mastery.kind) {
    case 'givingUp':
      return mastery.destination.kind === 'to'
        ? [
            ['give-up', mastery.by],
            ['take-on', mastery.destination.host],
          ]
        : [['give-up', mastery.by]]
    case 'takingOn':
      return [['take-on', mastery.by]]
    case 'adjusting':
      return [['adjust', mastery.by]]
    default:
      return []
  }
}

function findSharedParts({ before, made }: Examined): readonly Breach[] {
  const touched = new Set<string>(made.halves.map((half) => half.logicalHost))
  const parts = [...before.logicalHosts.values()].flatMap((logicalHost) =>
    [...logicalHost.diskGroups, ...logicalHost.addresses.map(({ address }) => address)].map((part) => ({
      part,
      owner: logicalHost.name,
    })),
  )
  return parts.flatMap(({ part, owner }, index) => {
    const first = parts.findIndex((other) => other.part === part)
    const other = parts[first]?.owner
    if (first === index || other === undefined || !(touched.has(owner) || touched.has(other))) return []
    return [{ subject: owner, text: `${part} belongs to ${other} already` }]
  })
}

function findUnwatched(x: Examined): readonly Breach[] {
  const takenOn = x.made.halves.filter((half) => half.kind === 'take-on')
  return takenOn.flatMap(({ logicalHost }) =>
    (configOf(x, logicalHost)?.physicalHosts ?? [])
      .filter((host) => x.after.members.get(host)?.state === 'joined')
      .flatMap((host) =>
        servicesToRun(x.after, logicalHost)
          .filter(({ methods }) => methods.FM_START !== undefined)
          .filter(({ name }) => !startsMonitor(x, logicalHost, host, name))
          .map(({ name }) => ({ subject: logicalHost, text: `no FM_START of ${name} on ${host}` })),
      ),
  )
}

function startsMonitor({ made }: Examined, logicalHost: string, host: string, service: string): boolean {
  return made.halves
    .filter((half) => half.kind === 'watch-start' && half.logicalHost === logicalHost && half.host === host)
    .flatMap((half) => half.steps)
    .some(({ action }) => action.kind === 'method' && action.method === 'FM_START' && action.service === service)
}
