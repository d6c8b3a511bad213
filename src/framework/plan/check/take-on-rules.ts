import type { DataService, MethodName } from '../../model/cluster-config.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import { uncleanOf } from '../../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import type { Half } from '../../model/step.ts'
import {
  findDisorder,
  findDisorderOfServices,
  findWrongAddresses,
  findWrongList,
  methodsIn,
  phaseOf,
} from './compare-lists.ts'
import {
  type Breach,
  configOf,
  dependenciesAnywhere,
  dependenciesThere,
  type Examined,
  nameOfHalf,
  placedSteps,
  type Rule,
  servicesOn,
  servicesToRun,
  stepsOf,
} from './examined.ts'

const NOBODY = { kind: 'unmastered', why: 'new', uncleanOn: [] } as const

function isLastHolderGone({ made, after }: Examined, { logicalHost }: Half): boolean {
  const unclean = uncleanOf(after.states.get(logicalHost)?.mastery ?? NOBODY)
  const isGivenUp = made.halves.some((half) => half.kind === 'give-up' && half.logicalHost === logicalHost)
  if (unclean.length === 0) return isGivenUp
  const proofs = ['fenced', 'confirmed']
  const lost = made.cause.kind === 'hosts-lost' ? made.cause.hosts : []
  const off = lost.filter(({ evidence }) => proofs.includes(evidence)).map(({ host }) => host)
  return unclean.length === 1 && unclean.every((host) => off.includes(host))
}

/** Rules about take-on halves. */
export const takeOnRules: readonly Rule[] = [
  {
    name: 'take-on-order',
    severity: 'fatal',
    sentence:
      'taking on is: import, START, addresses up, START_NET; before it, the same host may end what it failed to start',
    find: eachTakeOn((x, half) => {
      const first = half.steps.findIndex(({ action }) => takeOnOrder.includes(phaseOf(action)))
      if (first <= 0 || !isSecondTry(x, half)) return findDisorder(half, takeOnOrder)
      const ending = { ...half, steps: half.steps.slice(0, first) }
      const beginning = { ...half, steps: half.steps.slice(first) }
      return [...findDisorderOfServices(ending, endingOrder), ...findDisorder(beginning, takeOnOrder)]
    }),
  },
  {
    name: 'imports-all',
    severity: 'fatal',
    sentence: 'all disk groups are imported, each once, in the order of the configuration',
    find: eachTakeOn((x, half) => {
      const wanted = configOf(x, half.logicalHost)?.diskGroups ?? []
      return findWrongList(
        'imports',
        stepsOf([half], 'import').map(({ action }) => action.diskGroup),
        wanted,
      )
    }),
  },
  {
    name: 'mounts-apart',
    severity: 'fatal',
    sentence: 'disk groups appear at absolute places of their own',
    find: eachTakeOn((_x, half) => {
      const places = stepsOf([half], 'import').map(({ action }) => action.mountPoint)
      return places
        .filter((place, index) => !place.startsWith('/') || places.indexOf(place) !== index)
        .map((place) => `imports at '${place}'`)
    }),
  },
  {
    name: 'force-needs-a-loss',
    severity: 'fatal',
    sentence: 'an import is by force exactly when lost hosts left the disk groups unclean, and from exactly those',
    find: eachTakeOn(findWrongForce),
  },
  {
    name: 'addresses-up-all',
    severity: 'fatal',
    sentence: 'all addresses come up, each once, on the adapter of that host',
    find: eachTakeOn((x, half) => findWrongAddresses(x, half, 'address-up')),
  },
  {
    name: 'released-is-proved',
    severity: 'fatal',
    sentence:
      'others who have an address are looked for, unless its last holder proves in the same plan that it has let go, or was proved off, and no lost host had it before',
    find: eachTakeOn((x, half) => {
      const taken = stepsOf([half], 'address-up').filter(({ action }) => action.isReleased === true)
      return isLastHolderGone(x, half) ? [] : taken.map(({ action }) => `takes ${action.address.address} as released`)
    }),
  },
  {
    name: 'starts-all',
    severity: 'fatal',
    sentence: 'every service that is on is started, but none that the logical host goes without',
    find: eachTakeOn((x, half) =>
      (['START', 'START_NET'] as const).flatMap((method) => {
        const wanted = withMethod(servicesToRun(x.after, half.logicalHost), method)
        return findWrongList(`calls ${method} of`, methodsIn(half, method), wanted, 'any order')
      }),
    ),
  },
  {
    name: 'starts-dependencies-first',
    severity: 'fatal',
    sentence: 'a service is started after those it depends on',
    find: (x) => findStartedTooEarly(x, dependenciesThere),
  },
  {
    name: 'starts-far-dependencies-first',
    severity: 'warning',
    sentence: 'a service is started after those it depends on over a service that is on another logical host',
    find: (x) =>
      findStartedTooEarly(x, (state, service, logicalHost) => {
        const there = dependenciesThere(state, service, logicalHost)
        return new Set([...dependenciesAnywhere(state, service)].filter((name) => !there.has(name)))
      }),
  },
  {
    name: 'without-dependants',
    severity: 'fatal',
    sentence: 'what depends on a service that the logical host goes without is not started either',
    find: eachTakeOn((x, half) => {
      const without = x.after.states.get(half.logicalHost)?.without ?? []
      return servicesToRun(x.after, half.logicalHost).flatMap((service) =>
        without
          .filter((name) => dependenciesThere(x.after, service, half.logicalHost).has(name))
          .map((name) => `starts ${service.name} without ${name}, on which it depends`),
      )
    }),
  },
  {
    name: 'without-is-on',
    severity: 'fatal',
    sentence: 'a logical host goes without a service only while that service is on and configured there',
    find: (x) =>
      x.made.changes.flatMap((change) => {
        if (change.kind !== 'logical-host') return []
        const { name, without } = change.state
        const there = servicesOn(x.after, name).map((service) => service.name)
        return without
          .filter((service) => !there.includes(service))
          .map((service) => ({ subject: name, text: `goes without ${service}, which is not on there` }))
      }),
  },
  {
    name: 'take-on-fails-whole',
    severity: 'fatal',
    sentence: 'a take-on ends at its first failed step',
    find: eachTakeOn((_x, half) =>
      placedSteps([half])
        .filter(({ step, action }) => step.ifItFails.kind !== 'end-half' && takeOnOrder.includes(phaseOf(action)))
        .map(
          ({ number, step }) =>
            `step ${number} of ${nameOfHalf(half)} goes on after a failure (${step.ifItFails.kind})`,
        ),
    ),
  },
]

const endingOrder = ['STOP_NET', 'STOP', 'end-processes']
const takeOnOrder = ['import', 'START', 'address-up', 'START_NET']

/** The host goes on with what it was taking on, without a service that would not start. */
function isSecondTry({ before, made }: Examined, { logicalHost, host }: Half): boolean {
  const mastery = before.states.get(logicalHost)?.mastery
  return made.cause.kind === 'half-failed' && mastery?.kind === 'takingOn' && mastery.by === host
}

function eachTakeOn(find: (x: Examined, half: Half) => readonly string[]): (x: Examined) => readonly Breach[] {
  return (x) =>
    x.made.halves
      .filter(({ kind }) => kind === 'take-on')
      .flatMap((half) => find(x, half).map((text) => ({ subject: half.logicalHost, text })))
}

function findWrongForce(x: Examined, half: Half): readonly string[] {
  const mastery = x.after.states.get(half.logicalHost)?.mastery
  const unclean: readonly PhysicalHostName[] = mastery === undefined ? [] : uncleanOf(mastery)
  const wanted = [...unclean].sort().join()
  return stepsOf([half], 'import').flatMap(({ action }) => {
    const from = [...action.lostHosts].sort().join()
    const isRight = action.force === unclean.length > 0 && from === wanted
    return isRight
      ? []
      : [
          `imports ${action.diskGroup} ${action.force ? 'by force' : 'without force'} from '${from}', unclean is '${wanted}'`,
        ]
  })
}

function withMethod(services: readonly DataService[], method: MethodName): readonly string[] {
  return services.filter(({ methods }) => methods[method] !== undefined).map(({ name }) => name)
}

type Dependencies = (state: ClusterState, service: DataService, logicalHost: LogicalHostName) => ReadonlySet<string>

function findStartedTooEarly(x: Examined, dependencies: Dependencies): readonly Breach[] {
  return x.made.halves.flatMap((half) =>
    (['START', 'START_NET'] as const).flatMap((method) => {
      const order = methodsIn(half, method)
      return order.flatMap((name, index) => {
        const service = x.after.dataServices.get(name)
        const needed = service === undefined ? new Set<string>() : dependencies(x.after, service, half.logicalHost)
        return order
          .slice(index + 1)
          .filter((later) => needed.has(later))
          .map((later) => ({
            subject: half.logicalHost,
            text: `${method} of ${name} before that of ${later}, on which it depends`,
          }))
      })
    }),
  )
}
