import type { DataService, MethodName } from '../../model/cluster-config.ts'
import type { DataServiceName } from '../../model/names.ts'
import type { Half, Step } from '../../model/step.ts'
import { findDisorder, findWrongAddresses, findWrongList, methodsIn, phaseOf } from './compare-lists.ts'
import {
  type Breach,
  configOf,
  dependenciesThere,
  type Examined,
  ladderOf,
  nameOfHalf,
  placedSteps,
  type Rule,
  servicesToRun,
  stepsOf,
} from './examined.ts'

/** Rules about give-up halves, and about stopping services wherever it is done. */
export const giveUpRules: readonly Rule[] = [
  {
    name: 'give-up-order',
    severity: 'fatal',
    sentence: 'giving up is: FM_STOP, STOP_NET, addresses down, STOP, end processes, export, proof',
    find: eachGiveUp((_x, half) => findDisorder(half, giveUpOrder)),
  },
  {
    name: 'exports-all',
    severity: 'fatal',
    sentence: 'all disk groups are exported, each once, in reverse order of the imports',
    find: eachGiveUp((x, half) => {
      const wanted = [...(configOf(x, half.logicalHost)?.diskGroups ?? [])].reverse()
      return findWrongList(
        'exports',
        stepsOf([half], 'export').map(({ action }) => action.diskGroup),
        wanted,
      )
    }),
  },
  {
    name: 'addresses-down-all',
    severity: 'fatal',
    sentence: 'all addresses go down, each once, on the adapter of that host',
    find: eachGiveUp((x, half) => findWrongAddresses(x, half, 'address-down')),
  },
  {
    name: 'stops-all',
    severity: 'fatal',
    sentence: 'no service that is on is left without its STOP_NET and STOP',
    find: eachGiveUp((x, half) => (['STOP_NET', 'STOP'] as const).flatMap((method) => findUnstopped(x, half, method))),
  },
  {
    name: 'stops-dependants-first',
    severity: 'fatal',
    sentence: 'a service is stopped before those it depends on',
    find: (x) =>
      x.made.halves.flatMap((half) =>
        findStoppedTooEarly(x, half).map((text) => ({ subject: half.logicalHost, text })),
      ),
  },
  {
    name: 'stop-has-ladder',
    severity: 'fatal',
    sentence:
      'a STOP or STOP_NET that fails is followed by the ABORT method, where there is one, and the end of its processes by force',
    find: (x) =>
      x.made.halves.flatMap((half) => findShortLadders(x, half).map((text) => ({ subject: half.logicalHost, text }))),
  },
  {
    name: 'ends-all-processes',
    severity: 'fatal',
    sentence: 'all processes of the logical host are ended before its disk groups go',
    find: eachGiveUp((_x, half) =>
      stepsOf([half], 'end-processes').some(({ action }) => action.service === 'all')
        ? []
        : [`no end of all processes in ${nameOfHalf(half)}`],
    ),
  },
  {
    name: 'proof-comes-last',
    severity: 'fatal',
    sentence: 'a give-up ends with the proof that all disk groups and addresses are released, and with no other step',
    find: eachGiveUp(findWeakProof),
  },
  {
    name: 'give-up-goes-on',
    severity: 'fatal',
    sentence:
      'a step of a give-up that fails does not keep the steps behind it from being tried; only the proof decides',
    find: eachGiveUp((_x, half) =>
      placedSteps([half])
        .filter(({ step, action }) => (step.ifItFails.kind === 'end-half') !== (action.kind === 'prove-released'))
        .map(
          ({ number, step, action }) =>
            `step ${number} of ${nameOfHalf(half)}, ${phaseOf(action)}: ${step.ifItFails.kind}`,
        ),
    ),
  },
]

const giveUpOrder = ['FM_STOP', 'STOP_NET', 'address-down', 'STOP', 'end-processes', 'export', 'prove-released']

function eachGiveUp(find: (x: Examined, half: Half) => readonly string[]): (x: Examined) => readonly Breach[] {
  return (x) =>
    x.made.halves
      .filter(({ kind }) => kind === 'give-up')
      .flatMap((half) => find(x, half).map((text) => ({ subject: half.logicalHost, text })))
}

function findUnstopped(x: Examined, half: Half, method: 'STOP' | 'STOP_NET'): readonly string[] {
  const called = methodsIn(half, method)
  return servicesToRun(x.before, half.logicalHost)
    .filter(({ name, methods }) => methods[method] !== undefined && !called.includes(name))
    .map(({ name }) => `no ${method} of ${name} in ${nameOfHalf(half)}`)
}

function findStoppedTooEarly(x: Examined, half: Half): readonly string[] {
  return (['STOP_NET', 'STOP'] as const).flatMap((method) => {
    const order = methodsIn(half, method)
    return order.flatMap((name, index) =>
      order
        .slice(index + 1)
        .filter((later) => dependsOn(x, half, later, name))
        .map((later) => `${method} of ${name} before that of ${later}, which depends on it`),
    )
  })
}

function dependsOn(x: Examined, half: Half, dependant: DataServiceName, dependency: DataServiceName): boolean {
  const service = x.before.dataServices.get(dependant)
  return service !== undefined && dependenciesThere(x.before, service, half.logicalHost).has(dependency)
}

/** What stands on the ladder of each stopping method, before the end of the processes by force. */
const abortOf = { STOP: 'ABORT', STOP_NET: 'ABORT_NET' } as const satisfies Partial<Record<MethodName, MethodName>>

function findShortLadders(x: Examined, half: Half): readonly string[] {
  return stepsOf([half], 'method').flatMap(({ step, action, number }) => {
    if (action.method !== 'STOP' && action.method !== 'STOP_NET') return []
    const service = x.before.dataServices.get(action.service)
    const rungs = ladderOf(step)
    if (hasAbort(service, abortOf[action.method], rungs) && endsByForce(action.service, rungs)) return []
    return [`step ${number} of ${nameOfHalf(half)}, ${action.method} of ${action.service}: no whole ladder`]
  })
}

function hasAbort(service: DataService | undefined, method: 'ABORT' | 'ABORT_NET', rungs: readonly Step[]): boolean {
  if (service?.methods[method] === undefined) return true
  const first = rungs[0]?.action
  return first?.kind === 'method' && first.method === method && first.service === service.name
}

function endsByForce(service: DataServiceName, rungs: readonly Step[]): boolean {
  const last = rungs.at(-1)?.action
  return last?.kind === 'end-processes' && (last.service === service || last.service === 'all')
}

function findWeakProof(x: Examined, half: Half): readonly string[] {
  const logicalHost = configOf(x, half.logicalHost)
  const proofs = stepsOf([half], 'prove-released')
  const proof = proofs[0]
  if (proof === undefined || proofs.length > 1 || proof.number !== half.steps.length) {
    return [`${proofs.length} proofs, the last step is ${phaseOfLast(half)}`]
  }
  const addresses = proof.action.addresses.map(({ address, adapter }) => `${address.address} on '${adapter}'`)
  const wanted = (logicalHost?.addresses ?? []).map(
    ({ address, adapters }) => `${address} on '${adapters[half.host] ?? ''}'`,
  )
  return [
    ...findWrongList('proves', proof.action.diskGroups, logicalHost?.diskGroups ?? [], 'any order'),
    ...findWrongList('proves', addresses, wanted, 'any order'),
  ]
}

function phaseOfLast(half: Half): string {
  const last = half.steps.at(-1)
  return last === undefined ? 'none' : phaseOf(last.action)
}
