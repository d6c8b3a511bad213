import type { MethodName } from '../../model/cluster-config.ts'
import type { DataServiceName } from '../../model/names.ts'
import type { Action, Half, Step } from '../../model/step.ts'
import { configOf, type Examined, nameOfHalf, placedSteps, stepsOf } from './examined.ts'

/** Says what is missing, too much, double or in the wrong place of a list of names; empty when it is as wanted. */
export function findWrongList(
  verb: string,
  found: readonly string[],
  wanted: readonly string[],
  order: 'this order' | 'any order' = 'this order',
): readonly string[] {
  const wrong = [
    ...wanted.filter((name) => !found.includes(name)).map((name) => `${verb} everything but ${name}`),
    ...found.filter((name) => !wanted.includes(name)).map((name) => `${verb} ${name} too`),
    ...found.filter((name, index) => found.indexOf(name) !== index).map((name) => `${verb} ${name} twice`),
  ]
  if (wrong.length > 0 || order === 'any order' || found.join() === wanted.join()) return wrong
  return [`${verb} ${found.join(', ')} in that order instead of ${wanted.join(', ')}`]
}

/** What an order of steps is about: the kind of an action, or the method that it calls. */
export function phaseOf(action: Action): string {
  return action.kind === 'method' ? action.method : action.kind
}

/** Says which steps do not belong into a half with these phases, or come before a step of an earlier phase. */
export function findDisorder(half: Half, phases: readonly string[]): readonly string[] {
  let latest = 0
  return placedSteps([half]).flatMap(({ action, number }) => {
    const phase = phases.indexOf(phaseOf(action))
    if (phase < 0) return [`step ${number} of ${nameOfHalf(half)} is ${phaseOf(action)}`]
    if (phase < latest)
      return [`step ${number} of ${nameOfHalf(half)} is ${phaseOf(action)}, behind ${phases[latest] ?? ''}`]
    latest = phase
    return []
  })
}

/** As `findDisorder`, but only between the steps of each service (and between those of none). */
export function findDisorderOfServices(half: Half, phases: readonly string[]): readonly string[] {
  const serviceOf = ({ action }: Step): string => ('service' in action ? action.service : '')
  return [...new Set(half.steps.map(serviceOf))].flatMap((service) =>
    findDisorder({ ...half, steps: half.steps.filter((step) => serviceOf(step) === service) }, phases),
  )
}

/** Lists the services whose method a half calls, in its order, ladders left out. */
export function methodsIn(half: Half, method: MethodName): readonly DataServiceName[] {
  return stepsOf([half], 'method').flatMap(({ action }) => (action.method === method ? [action.service] : []))
}

/** Says which addresses a half leaves out, touches twice or takes the wrong adapter for. */
export function findWrongAddresses(x: Examined, half: Half, kind: 'address-up' | 'address-down'): readonly string[] {
  const wanted = (configOf(x, half.logicalHost)?.addresses ?? []).map(
    ({ address, adapters }) => `${address} on '${adapters[half.host] ?? ''}'`,
  )
  const found = stepsOf([half], kind).map(({ action }) => `${action.address.address} on '${action.adapter}'`)
  return findWrongList(kind, found, wanted, 'any order')
}
