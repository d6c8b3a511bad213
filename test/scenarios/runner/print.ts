import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import type { LogicalHostState } from '../../../src/framework/model/mastery.ts'
import type { PhysicalHostName } from '../../../src/framework/model/names.ts'
import type { Plan } from '../../../src/framework/model/reconfiguration.ts'
import type { Half, Step } from '../../../src/framework/model/step.ts'
import { describeAction, describeCause, describeMastery } from '../../../src/framework/plan/describe.ts'
import type { Decision } from './scene.ts'
import type { StepReport, Walked } from './walk.ts'

const widthMax = 98

/** Breaks a line that is too long for a page at its spaces; what follows is indented by four more. */
export function wrap(line: string): readonly string[] {
  if (line.length <= widthMax) return [line]
  const cut = line.lastIndexOf(' ', widthMax)
  const indent = line.search(/\S/)
  if (cut <= indent) return [line]
  return [line.slice(0, cut), ...wrap(`${' '.repeat(Math.min(indent + 4, 8))}${line.slice(cut + 1)}`)]
}

/** Prints what a cause led to: number, cause, and one sentence for each logical host. */
export function printDecision(decision: Decision): readonly string[] {
  switch (decision.kind) {
    case 'nothing':
      return ['nothing to do']
    case 'refused':
      return wrap(`error ${decision.code}: ${decision.message}`)
    case 'planned':
      return [
        ...printPlanHead(decision.plan),
        ...decision.notes.flatMap((note) => wrap(`  ${note.severity.toUpperCase()} ${note.subject}: ${note.text}`)),
      ]
  }
}

function printPlanHead({ number, cause, because }: Plan): readonly string[] {
  return [
    ...wrap(`reconfiguration ${number}: ${describeCause(cause)}`),
    ...because.flatMap(({ logicalHost, sentence }) => wrap(`  ${logicalHost}: ${sentence}`)),
  ]
}

/** Prints the halves of a plan with their steps, as `haswitch --plan` would. */
export function printHalves({ halves }: Plan): readonly string[] {
  return halves.flatMap((half) => [
    `  ${half.host} ${half.kind} ${half.logicalHost}`,
    ...half.steps.flatMap((step, index) => wrap(`    ${index + 1} ${describeAction(step.action)}${printLadder(step)}`)),
  ])
}

function printLadder({ ifItFails }: Step): string {
  if (ifItFails.kind !== 'ladder') return ''
  return `; else ${ifItFails.steps.map(({ action }) => describeAction(action)).join(', ')}`
}

/** Prints the head of a half that begins or goes on. */
export function printHalfHead(host: PhysicalHostName, half: Half, isBegun: boolean): string {
  return `${host} ${half.kind} ${half.logicalHost}${isBegun ? ', continued' : ''}`
}

/** Prints one executed step with its argument lists, and its ladder when that ran. */
export function printStep(report: StepReport): readonly string[] {
  return [
    ...wrap(`  ${report.number} ${printRun(report)}`),
    ...report.ladder.flatMap((rung) => wrap(`    instead: ${printRun(rung)}`)),
  ]
}

function printRun({ step, result, lists }: Pick<StepReport, 'step' | 'result' | 'lists'>): string {
  const argv = (lists ?? []).map((list) => ` [${list}]`).join('')
  const ending = result.outcome === 'done' ? '' : `: ${result.outcome}, ${result.message}`
  return `${describeAction(step.action)}${argv}${ending}`
}

/** Prints how a half ended and what that led to. */
export function printEnd(after: ClusterState, { due }: Walked, ended: NonNullable<Walked['ended']>): readonly string[] {
  const { outcome, advance, decision } = ended
  const state = after.states.get(due.half.logicalHost)
  const where = state === undefined ? 'gone' : describeMastery(state)
  const abort = advance.kind === 'abort-host' ? wrap(`  => host aborts: ${advance.message}`) : []
  if (outcome.kind === 'unproved') {
    return [...wrap(`  => ${where}: ${outcome.leftovers.map(({ what }) => what).join(', ')}`), ...abort]
  }
  if (decision !== undefined)
    return [outcome.kind === 'done' ? '  => released' : '  => failed', ...printDecision(decision)]
  if (due.half.kind.startsWith('watch')) return ['  => done']
  return [...wrap(`  => ${where}`), ...abort]
}

/** Prints who is a member, who masters what, and what is noted about it. */
export function printState(state: ClusterState): readonly string[] {
  const members = [...state.members.values()].map(({ host, state: life }) =>
    life === 'leaving' ? `${host} (leaving)` : host,
  )
  const services = [...state.dataServices.values()].map((service) => `${service.name} ${service.state}`)
  return [
    `members: ${members.join(', ') || 'none'}`,
    ...(services.length > 0 ? [`services: ${services.join(', ')}`] : []),
    ...[...state.states.values()].flatMap(printLogicalHost),
  ]
}

function printLogicalHost(at: LogicalHostState): readonly string[] {
  const { mastery } = at
  const unclean = mastery.kind === 'mastered' || mastery.kind === 'adjusting' ? [] : mastery.uncleanOn
  return [
    `${at.name}: ${describeMastery(at)}`,
    ...(unclean.length > 0 ? [`  unclean on ${unclean.join(', ')}`] : []),
    ...(mastery.kind === 'stuck' ? mastery.leftovers.map(({ kind, what }) => `  left over: ${kind} ${what}`) : []),
    ...(at.without.length > 0 ? [`  without ${at.without.join(', ')}`] : []),
    ...at.startFailures.map(({ service, host, method }) => `  ${method} of ${service} failed on ${host}`),
    ...at.takeOnFailures.flatMap(({ host, message }) => wrap(`  ${host} cannot take it on: ${message}`)),
    ...(at.switchbackTo === null ? [] : [`  moves back to ${at.switchbackTo} later`]),
  ]
}
