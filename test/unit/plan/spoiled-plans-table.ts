import type { MethodName } from '../../../src/framework/model/cluster-config.ts'
import type { LogicalHostState } from '../../../src/framework/model/mastery.ts'
import type {
  DataServiceName,
  LogicalHostName,
  NetworkName,
  PhysicalHostName,
} from '../../../src/framework/model/names.ts'
import type { Plan, StateChange } from '../../../src/framework/model/reconfiguration.ts'
import type { Action, Half, Step } from '../../../src/framework/model/step.ts'
import { phaseOf } from '../../../src/framework/plan/check/compare-lists.ts'
import type { GoodPlan, goodPlans } from './good-plans.ts'

const ha1 = 'ha1' as LogicalHostName
const host = (name: string): PhysicalHostName => name as PhysicalHostName
const service = (name: string): DataServiceName => name as DataServiceName

type Spoil = (good: GoodPlan) => GoodPlan
const made =
  (change: (plan: Plan) => Plan): Spoil =>
  ({ before, made: plan }) => ({ before, made: change(plan) })

/** Changes what the plan writes about ha1. */
const stateOf = (change: (state: LogicalHostState) => LogicalHostState): Spoil =>
  made((plan) => ({
    ...plan,
    changes: plan.changes.map(
      (c): StateChange => (c.kind === 'logical-host' && c.state.name === ha1 ? { ...c, state: change(c.state) } : c),
    ),
  }))

/** Changes the halves of one kind of ha1. */
const halfOf = (kind: Half['kind'], change: (half: Half) => Half): Spoil =>
  made((plan) => ({
    ...plan,
    halves: plan.halves.map((h) => (h.kind === kind && h.logicalHost === ha1 ? change(h) : h)),
  }))

const stepsOf = (kind: Half['kind'], change: (steps: readonly Step[]) => readonly Step[]): Spoil =>
  halfOf(kind, (half) => ({ ...half, steps: change(half.steps) }))

const is =
  (phase: string) =>
  ({ action }: Step): boolean =>
    phaseOf(action) === phase

const drop = (kind: Half['kind'], matches: (step: Step) => boolean): Spoil =>
  stepsOf(kind, (steps) => steps.filter((step) => !matches(step)))

/** Changes the first step of a phase. */
const stepOf = (kind: Half['kind'], phase: string, change: (step: Step) => Step): Spoil =>
  stepsOf(kind, (steps) => steps.map((step, index) => (index === steps.findIndex(is(phase)) ? change(step) : step)))

const actionOf = <K extends Action['kind']>(
  kind: Half['kind'],
  of: K,
  change: (action: Extract<Action, { kind: K }>) => Action,
): Spoil => stepOf(kind, of, (step) => ({ ...step, action: change(step.action as Extract<Action, { kind: K }>) }))

const swapped = (matches: (step: Step) => boolean, steps: readonly Step[]): readonly Step[] => {
  const [first = -1, second = -1] = steps.flatMap((step, index) => (matches(step) ? [index] : []))
  return steps.map((step, index) => (index === first ? steps[second] : index === second ? steps[first] : step) ?? step)
}
const toFront = (phase: string, steps: readonly Step[]): readonly Step[] => [
  ...steps.filter(is(phase)),
  ...steps.filter((step) => !is(phase)(step)),
]
const callOf = (name: string, method: MethodName): Action => ({
  kind: 'method',
  service: service(name),
  method,
  program: `/opt/${name}/${method}`,
})
/** Puts a service that is on no logical host between nfs, which starts early, and another one. */
const over =
  (needed: string, between: string): Spoil =>
  (good) => {
    const services = new Map(good.before.dataServices)
    const nfs = services.get(service('nfs'))
    if (nfs === undefined) return good
    services.set(nfs.name, { ...nfs, dependsOn: [service(between)] })
    services.set(service(between), { ...nfs, name: service(between), logicalHosts: [], dependsOn: [service(needed)] })
    return configured(stepsOf('take-on', (steps) => nfsFirst(steps))(good), { dataServices: services })
  }
const nfsFirst = (steps: readonly Step[]): readonly Step[] => {
  const isNfs = ({ action }: Step): boolean => action.kind === 'method' && action.service === 'nfs'
  return [...steps.filter(is('import')), ...steps.filter(isNfs), ...steps.filter((s) => !is('import')(s) && !isNfs(s))]
}
const based = (change: (on: Plan['basedOn']) => Partial<Plan['basedOn']>): Spoil =>
  made((plan) => ({ ...plan, basedOn: { ...plan.basedOn, ...change(plan.basedOn) } }))
const plusHalf = (half: (plan: Plan) => Half | undefined): Spoil =>
  made((plan) => ({ ...plan, halves: [...plan.halves, ...[half(plan)].filter((h) => h !== undefined)] }))
const lastOf = (plan: Plan, kind: Half['kind']): Half | undefined => plan.halves.find((half) => half.kind === kind)
const configured = (good: GoodPlan, without: Partial<GoodPlan['before']>): GoodPlan => ({
  ...good,
  before: { ...good.before, ...without },
})

/** Names the rule that is to be broken, the good plan, and how it is spoiled. */
export type Case = readonly [rule: string, of: keyof typeof goodPlans, spoil: Spoil]

/** Spoils good plans in one place each: at least one for every rule of the checker. */
export const spoiledPlans: readonly Case[] = [
  ['number-follows', 'on', (good) => configured(good, { lastReconfiguration: 90 })],
  ['one-change-each', 'switchover', made((plan) => ({ ...plan, changes: [...plan.changes, ...plan.changes] }))],
  [
    'member-comes-by-joining',
    'join',
    made((plan) => ({
      ...plan,
      changes: plan.changes.map(
        (c): StateChange => (c.kind === 'member-joined' ? { ...c, member: { ...c.member, incarnation: 1 } } : c),
      ),
    })),
  ],
  [
    'member-goes-by-loss-or-leave',
    'left',
    made((plan) => ({ ...plan, changes: plan.changes.filter(({ kind }) => kind !== 'member-gone') })),
  ],
  [
    'lost-were-members',
    'takeover',
    (good) =>
      configured(good, {
        cluster: { ...good.before.cluster, budgets: { ...good.before.cluster.budgets, evictionsMax: 0 } },
      }),
  ],
  [
    'actor-is-member',
    'maintenance',
    made((plan) => ({
      ...plan,
      cause: { kind: 'host-left', host: host('h1') },
      changes: [...plan.changes, { kind: 'member-gone', host: host('h1') }],
    })),
  ],
  [
    'service-as-asked',
    'on',
    made((plan) => ({
      ...plan,
      changes: plan.changes.map(
        (c): StateChange => (c.kind === 'service' ? { ...c, service: { ...c.service, version: '2' } } : c),
      ),
    })),
  ],
  [
    'dependencies-stay-on',
    'off',
    (good) => ({
      ...good,
      made: {
        ...good.made,
        changes: good.made.changes.map(
          (c): StateChange => (c.kind === 'service' ? { ...c, service: { ...c.service, name: service('pg') } } : c),
        ),
      },
    }),
  ],
  [
    'failures-kept-once',
    'switchover',
    stateOf((s) => ({
      ...s,
      takeOnFailures: [1, 2].map((reconfiguration) => ({
        host: host('h2'),
        atWallMs: 0,
        tries: 1,
        reconfiguration,
        message: '',
      })),
    })),
  ],
  [
    'actor-keeps',
    'switchover',
    stateOf((s) => ({ ...s, mastery: { kind: 'takingOn', by: host('h2'), uncleanOn: [] } })),
  ],
  [
    'transition-is-legal',
    'switchover',
    stateOf((s) => ({ ...s, mastery: { kind: 'takingOn', by: host('h1'), uncleanOn: [] } })),
  ],
  ['generation-grows-by-one', 'switchover', stateOf((s) => ({ ...s, generation: s.generation + 1 }))],
  ['generation-grows-by-one', 'takeover', stateOf((s) => ({ ...s, generation: s.generation - 1 }))],
  ['motion-belongs-to-plan', 'takeover', stateOf((s) => ({ ...s, reconfiguration: s.reconfiguration - 1 }))],
  [
    'unclean-is-kept',
    'takeover',
    stateOf((s) => ({ ...s, mastery: { kind: 'takingOn', by: host('h2'), uncleanOn: [] } })),
  ],
  [
    'unclean-is-kept',
    'secondLoss',
    stateOf((s) => ({ ...s, mastery: { kind: 'takingOn', by: host('h3'), uncleanOn: [host('h2')] } })),
  ],
  [
    'unclean-was-lost',
    'takeover',
    stateOf((s) => ({ ...s, mastery: { kind: 'takingOn', by: host('h2'), uncleanOn: [host('h1'), host('h3')] } })),
  ],
  [
    'goes-to-fit-host',
    'takeover',
    stateOf((s) => ({ ...s, mastery: { kind: 'takingOn', by: host('h1'), uncleanOn: [host('h1')] } })),
  ],
  [
    'goes-where-addresses-work',
    'interfaceFailed',
    stateOf((s) => ({
      ...s,
      mastery: { kind: 'givingUp', by: host('h1'), destination: { kind: 'to', host: host('h3') }, uncleanOn: [] },
    })),
  ],
  [
    'interface-moves-its-own',
    'interfaceFailed',
    (good) => configured(good, { sights: new Map([...good.before.sights].filter(([name]) => name !== 'h1')) }),
  ],
  [
    'interface-moves-its-own',
    'interfaceFailed',
    made((plan) => ({
      ...plan,
      cause: { kind: 'interface-failed', host: host('h1'), network: 'public' as NetworkName, group: 'nafo1' },
    })),
  ],
  ['maintenance-lasts', 'outOfMaintenance', made((plan) => ({ ...plan, cause: { kind: 'settle', why: '' } }))],
  [
    'maintenance-lasts',
    'lossInMaintenance',
    stateOf((s) => ({ ...s, mastery: { kind: 'unmastered', why: 'no-possible-master', uncleanOn: [host('h1')] } })),
  ],
  [
    'bystanders-stay',
    'switchover',
    made((plan) => ({
      ...plan,
      cause: { kind: 'switchover', logicalHosts: ['ha2' as LogicalHostName], to: host('h2'), by: '' },
    })),
  ],
  [
    'switchover-goes-there',
    'switchover',
    made((plan) => ({ ...plan, cause: { kind: 'switchover', logicalHosts: [ha1], to: host('h3'), by: '' } })),
  ],
  [
    'halves-are-configured',
    'switchover',
    (good) =>
      configured(good, {
        logicalHosts: new Map(
          [...good.before.logicalHosts].map(([name, c]) => [
            name,
            { ...c, physicalHosts: c.physicalHosts.filter((h) => h !== 'h2') },
          ]),
        ),
      }),
  ],
  ['main-halves-on-members', 'takeover', halfOf('take-on', (half) => ({ ...half, host: host('h1') }))],
  ['one-half-of-a-kind', 'takeover', plusHalf((plan) => lastOf(plan, 'take-on'))],
  ['halves-fit-the-state', 'switchover', halfOf('take-on', (half) => ({ ...half, host: host('h3') }))],
  [
    'motion-has-halves',
    'switchover',
    made((plan) => ({ ...plan, halves: plan.halves.filter(({ kind }) => kind !== 'take-on') })),
  ],
  ['halves-have-changes', 'switchover', made((plan) => ({ ...plan, changes: [] }))],
  ['says-why', 'switchover', made((plan) => ({ ...plan, because: [] }))],
  [
    'configured-once',
    'switchover',
    (good) =>
      configured(good, {
        logicalHosts: new Map(
          [...good.before.logicalHosts].map(([name, c]) => [
            name,
            name === ha1
              ? c
              : { ...c, diskGroups: [...c.diskGroups, ...[...good.before.diskGroups.keys()].slice(0, 1)] },
          ]),
        ),
      }),
  ],
  [
    'watched-everywhere',
    'takeover',
    made((plan) => ({ ...plan, halves: plan.halves.filter(({ kind }) => kind !== 'watch-start') })),
  ],
  ['take-on-order', 'switchover', stepsOf('take-on', (steps) => toFront('START', steps))],
  ['take-on-order', 'switchover', stepsOf('take-on', (steps) => toFront('START_NET', steps))],
  [
    'imports-all',
    'switchover',
    drop('take-on', ({ action }) => action.kind === 'import' && action.diskGroup === 'dg2'),
  ],
  ['imports-all', 'switchover', stepsOf('take-on', (steps) => swapped(is('import'), steps))],
  ['mounts-apart', 'switchover', actionOf('take-on', 'import', (action) => ({ ...action, mountPoint: 'here' }))],
  [
    'force-needs-a-loss',
    'switchover',
    actionOf('take-on', 'import', (action) => ({ ...action, force: true, lostHosts: [host('h1')] })),
  ],
  [
    'force-needs-a-loss',
    'takeover',
    actionOf('take-on', 'import', (action) => ({ ...action, force: false, lostHosts: [] })),
  ],
  [
    'force-needs-a-loss',
    'takeover',
    actionOf('take-on', 'import', (action) => ({ ...action, lostHosts: [host('h3')] })),
  ],
  [
    'addresses-up-all',
    'switchover',
    drop('take-on', ({ action }) => action.kind === 'address-up' && action.address.address === '10.0.0.12'),
  ],
  ['addresses-up-all', 'switchover', actionOf('take-on', 'address-up', (action) => ({ ...action, adapter: 'eth9' }))],
  ['released-is-proved', 'takeover', actionOf('take-on', 'address-up', (action) => ({ ...action, isReleased: true }))],
  ['starts-all', 'switchover', drop('take-on', ({ action }) => action.kind === 'method' && action.service === 'nfs')],
  ['starts-dependencies-first', 'switchover', stepsOf('take-on', (steps) => swapped((s) => is('START_NET')(s), steps))],
  ['without-dependants', 'switchover', stateOf((s) => ({ ...s, without: [service('pg')] }))],
  ['without-is-on', 'switchover', stateOf((s) => ({ ...s, without: [service('job')] }))],
  [
    'take-on-fails-whole',
    'switchover',
    stepOf('take-on', 'START', (step) => ({ ...step, ifItFails: { kind: 'note' } })),
  ],
  ['give-up-order', 'switchover', stepsOf('give-up', (steps) => toFront('address-down', steps))],
  ['exports-all', 'switchover', stepsOf('give-up', (steps) => swapped(is('export'), steps))],
  [
    'addresses-down-all',
    'switchover',
    drop('give-up', ({ action }) => action.kind === 'address-down' && action.address.address === '10.0.0.11'),
  ],
  ['stops-all', 'switchover', drop('give-up', ({ action }) => action.kind === 'method' && action.service === 'nfs')],
  ['stops-dependants-first', 'switchover', stepsOf('give-up', (steps) => swapped(is('STOP_NET'), steps))],
  ['stop-has-ladder', 'switchover', stepOf('give-up', 'STOP', (step) => ({ ...step, ifItFails: { kind: 'note' } }))],
  [
    'stop-has-ladder',
    'switchover',
    stepOf('give-up', 'STOP', (step) =>
      step.ifItFails.kind === 'ladder'
        ? { ...step, ifItFails: { kind: 'ladder', steps: step.ifItFails.steps.slice(1) } }
        : step,
    ),
  ],
  ['ends-all-processes', 'switchover', drop('give-up', is('end-processes'))],
  ['proof-comes-last', 'switchover', drop('give-up', is('prove-released'))],
  ['proof-comes-last', 'switchover', actionOf('give-up', 'prove-released', (action) => ({ ...action, addresses: [] }))],
  [
    'give-up-goes-on',
    'switchover',
    stepOf('give-up', 'export', (step) => ({ ...step, ifItFails: { kind: 'end-half' } })),
  ],
  [
    'give-up-goes-on',
    'switchover',
    stepOf('give-up', 'prove-released', (step) => ({ ...step, ifItFails: { kind: 'note' } })),
  ],
  [
    'adjust-touches-services-only',
    'off',
    (good) => ({
      ...good,
      made: {
        ...good.made,
        halves: good.made.halves.map((h) =>
          h.kind === 'adjust' ? { ...h, steps: toFront('end-processes', h.steps) } : h,
        ),
      },
    }),
  ],
  ['adjust-stops-what-goes', 'off', drop('adjust', is('STOP'))],
  ['adjust-stops-what-goes', 'off', drop('adjust', is('end-processes'))],
  ['adjust-starts-what-comes', 'on', drop('adjust', is('START_NET'))],
  ['watch-calls-monitors-only', 'switchover', stepsOf('watch-start', (steps) => steps.toReversed())],
  [
    'watch-fails-quietly',
    'switchover',
    stepOf('watch-start', 'FM_INIT', (step) => ({ ...step, ifItFails: { kind: 'end-half' } })),
  ],
  ['moves-unwatched', 'switchover', drop('give-up', is('FM_STOP'))],
  [
    'method-is-registered',
    'switchover',
    stepOf('take-on', 'START', (step) => ({ ...step, action: { ...step.action, program: '/tmp/x' } as Action })),
  ],
  [
    'method-serves-here',
    'switchover',
    stepOf('take-on', 'START', (step) => ({ ...step, action: callOf('job', 'START') })),
  ],
  [
    'method-serves-here',
    'switchover',
    stepOf('give-up', 'STOP', (step) => ({ ...step, action: callOf('job', 'STOP') })),
  ],
  ['timeouts-are-bounded', 'switchover', stepOf('take-on', 'import', (step) => ({ ...step, timeoutMs: 0 }))],
  ['timeouts-are-bounded', 'switchover', stepOf('take-on', 'START', (step) => ({ ...step, timeoutMs: 61_000 }))],
  [
    'ladders-end',
    'switchover',
    stepOf('give-up', 'STOP', (step) =>
      step.ifItFails.kind === 'ladder'
        ? {
            ...step,
            ifItFails: {
              kind: 'ladder',
              steps: step.ifItFails.steps.map((rung) => ({ ...rung, ifItFails: { kind: 'end-half' } })),
            },
          }
        : step,
    ),
  ],
  [
    'ladders-end-things',
    'switchover',
    stepOf('give-up', 'STOP', (step) =>
      step.ifItFails.kind === 'ladder'
        ? {
            ...step,
            ifItFails: {
              kind: 'ladder',
              steps: [
                ...step.ifItFails.steps.slice(0, -1),
                { ...step, action: callOf('web', 'STOP_NET'), ifItFails: { kind: 'note' } },
                ...step.ifItFails.steps.slice(-1),
              ],
            },
          }
        : step,
    ),
  ],
  ['starts-far-dependencies-first', 'switchover', over('web', 'far')],
  ['only-heirs-take-on', 'takeover', stateOf((s) => ({ ...s, heirs: [] }))],
  ['heirs-knew-each-other', 'takeover', stateOf((s) => ({ ...s, heirs: null }))],
  ['heirs-knew-each-other', 'unawareLoss', stateOf((s) => ({ ...s, heirs: [host('h2'), host('h3')] }))],
  ['heirs-knew-each-other', 'settled', stateOf((s) => ({ ...s, heirs: null }))],
  ['based-on-logical-hosts', 'switchover', based(() => ({ logicalHosts: [] }))],
  ['based-on-services', 'switchover', based(() => ({ dataServices: [] }))],
  ['based-on-members', 'switchover', based(() => ({ members: [] }))],
]

/** Lists, where one wrong thing is wrong in more than one respect, the other rules that may see it too. */
export const dragged: Readonly<Record<string, readonly string[]>> = {
  'actor-is-member': ['main-halves-on-members'],
  'dependencies-stay-on': ['service-as-asked', 'adjust-stops-what-goes'],
  'actor-keeps': ['transition-is-legal', 'halves-fit-the-state'],
  'transition-is-legal': ['switchover-goes-there', 'halves-fit-the-state', 'motion-has-halves'],
  'motion-belongs-to-plan': ['halves-fit-the-state'],
  'unclean-is-kept': ['force-needs-a-loss'],
  'unclean-was-lost': ['force-needs-a-loss'],
  'goes-to-fit-host': ['actor-is-member', 'halves-fit-the-state', 'motion-has-halves'],
  'goes-where-addresses-work': ['halves-fit-the-state', 'motion-has-halves'],
  'halves-are-configured': ['goes-to-fit-host'],
  'main-halves-on-members': ['halves-fit-the-state', 'motion-has-halves'],
  'halves-fit-the-state': ['motion-has-halves'],
  'halves-have-changes': ['halves-fit-the-state'],
  'without-dependants': ['starts-all', 'method-serves-here'],
  'method-serves-here': ['starts-all', 'stops-all', 'stop-has-ladder'],
}
