import type { DataService } from '../../model/cluster-config.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import type { LogicalHostName } from '../../model/names.ts'
import type { Half, Step } from '../../model/step.ts'
import { phaseOf } from './compare-lists.ts'
import {
  type Breach,
  type Examined,
  type MethodAction,
  nameOfHalf,
  type Rule,
  serves,
  withLadders,
} from './examined.ts'

/** Rules about single steps: what they call, and how long they may take. */
export const methodRules: readonly Rule[] = [
  {
    name: 'method-is-registered',
    severity: 'fatal',
    sentence: 'a method is called by the program that is registered for it',
    find: eachCall(({ before }, half, call) => {
      const program = before.dataServices.get(call.service)?.methods[call.method]?.program
      return program === call.program
        ? []
        : [`${call.method} of ${call.service} calls ${call.program} in ${nameOfHalf(half)}`]
    }),
  },
  {
    name: 'method-serves-here',
    severity: 'fatal',
    sentence:
      'methods are called only of services that are on and configured on the logical host, or just leave that state',
    find: eachCall(findCallOfStranger),
  },
  {
    name: 'timeouts-are-bounded',
    severity: 'fatal',
    sentence: 'every step has a positive timeout, and none has more than its half of a reconfiguration may take',
    find: eachStep(({ before }, half, step) => {
      const { timeoutMs, action } = step
      const limitMs = limitOf(before, step)
      if (Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= limitMs) return []
      return [`${phaseOf(action)} in ${nameOfHalf(half)} may take ${timeoutMs} ms, the limit is ${limitMs} ms`]
    }),
  },
  {
    name: 'ladders-end',
    severity: 'fatal',
    sentence: 'no ladder has a ladder: what fails on it is noted',
    find: eachStep((_x, half, { ifItFails }) =>
      ifItFails.kind === 'ladder' && ifItFails.steps.some((rung) => rung.ifItFails.kind !== 'note')
        ? [`a ladder in ${nameOfHalf(half)} has a step that does more than note its failure`]
        : [],
    ),
  },
  {
    name: 'ladders-end-things',
    severity: 'fatal',
    sentence: 'ladders hold ABORT methods and ends of processes only',
    find: eachStep((_x, half, { ifItFails }) =>
      ifItFails.kind !== 'ladder'
        ? []
        : ifItFails.steps
            .map(({ action }) => phaseOf(action))
            .filter((phase) => !['ABORT', 'ABORT_NET', 'end-processes'].includes(phase))
            .map((phase) => `${phase} on a ladder in ${nameOfHalf(half)}`),
    ),
  },
]

function eachStep(
  find: (x: Examined, half: Half, step: Step) => readonly string[],
): (x: Examined) => readonly Breach[] {
  return (x) =>
    x.made.halves.flatMap((half) =>
      withLadders(half).flatMap((step) => find(x, half, step).map((text) => ({ subject: half.logicalHost, text }))),
    )
}

function eachCall(
  find: (x: Examined, half: Half, call: MethodAction) => readonly string[],
): (x: Examined) => readonly Breach[] {
  return eachStep((x, half, { action }) => (action.kind === 'method' ? find(x, half, action) : []))
}

const starting = ['START', 'START_NET', 'FM_INIT', 'FM_START']

function findCallOfStranger(x: Examined, half: Half, call: MethodAction): readonly string[] {
  // A fault monitor may have been left running by a plan that another one took the place of.
  if (call.method === 'FM_STOP') return []
  const isServed = (state: ClusterState): boolean => serves(state.dataServices.get(call.service), half.logicalHost)
  if (starting.includes(call.method)) {
    if (isServed(x.after) && !isWithout(x.after, half.logicalHost, call)) return []
    return [`${call.method} of ${call.service}, which is not to run there`]
  }
  return isServed(x.before) || isServed(x.after) ? [] : [`${call.method} of ${call.service}, which is not on there`]
}

function isWithout(state: ClusterState, name: LogicalHostName, call: MethodAction): boolean {
  return state.states.get(name)?.without.includes(call.service) === true
}

function limitOf(before: ClusterState, { action }: Step): number {
  const halfMs = (before.cluster.logicalHostTimeoutS * 1000) / 2
  if (action.kind !== 'method') return Math.min(halfMs, before.cluster.stepTimeoutS * 1000)
  const service: DataService | undefined = before.dataServices.get(action.service)
  return Math.min(halfMs, (service?.methods[action.method]?.timeoutS ?? 0) * 1000)
}
