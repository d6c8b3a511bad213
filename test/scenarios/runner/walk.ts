import type { PhysicalHostName } from '../../../src/framework/model/names.ts'
import type { Half, Step } from '../../../src/framework/model/step.ts'
import type { HalfOutcome } from '../../../src/framework/model/timeline.ts'
import { type Advance, advance } from '../../../src/framework/plan/advance.ts'
import { describeAction } from '../../../src/framework/plan/describe.ts'
import { type Due, dueHalves } from '../../../src/framework/plan/due-halves.ts'
import { commit, type Decision, type Scene, servedOn, submit } from './scene.ts'
import { perform, type Result } from './world.ts'

/** One step as it was done, with those of its ladder. */
export interface StepReport {
  readonly number: number
  readonly step: Step
  readonly result: Result
  readonly lists: Lists
  readonly ladder: readonly { readonly step: Step; readonly result: Result; readonly lists: Lists }[]
}

/** argv[1] and argv[2] of a method call; undefined for other actions. */
export type Lists = readonly [string, string] | undefined

/** What came of doing one step of a half. */
export interface Walked {
  readonly host: PhysicalHostName
  readonly due: Due
  /** Absent when the half had no step left. */
  readonly report?: StepReport
  /** Present when the half ended with it. */
  readonly ended?: { readonly outcome: HalfOutcome; readonly advance: Advance; readonly decision?: Decision }
}

/** Lists what a host has to do now; nothing when it is dead or no member. */
export function dueOn(scene: Scene, host: PhysicalHostName): readonly Due[] {
  const member = scene.state.members.get(host)
  if (member === undefined || !scene.world.hosts.has(host)) return []
  return dueHalves(scene.state, scene.reconfigurations, host, (number, logicalHost, kind) =>
    scene.done.has(`${number}/${logicalHost}/${kind}/${host}/${member.incarnation}`),
  )
}

/** Does the next step of a half that is due, and what follows from the end of the half when it was the last one. */
export function walk(scene: Scene, host: PhysicalHostName, due: Due): Walked {
  const key = cursorKey(host, due.half)
  const begun = scene.cursors.get(key)
  const isSame = begun?.due.reconfiguration === due.reconfiguration && begun.due.generation === due.generation
  const next = isSame && begun !== undefined ? begun.next : 0
  const step = due.half.steps[next]
  if (step === undefined) return { host, due, ended: end(scene, host, due, { kind: 'done' }) }
  const report = doStep(scene, host, due.half, step, next + 1)
  const outcome = outcomeOf(report, next)
  if (outcome !== undefined) return { host, due, report, ended: end(scene, host, due, outcome) }
  scene.cursors.set(key, { due, next: next + 1 })
  if (next + 1 < due.half.steps.length) return { host, due, report }
  return { host, due, report, ended: end(scene, host, due, { kind: 'done' }) }
}

function cursorKey(host: PhysicalHostName, { logicalHost, kind }: Half): string {
  return `${host}/${logicalHost}/${kind}`
}

/** Forgets what a host had begun: it begins again with what it finds to be due. */
export function forgetCursors(scene: Scene, host: PhysicalHostName): void {
  for (const key of [...scene.cursors.keys()]) if (key.startsWith(`${host}/`)) scene.cursors.delete(key)
  scene.served.delete(host)
}

function doStep(scene: Scene, host: PhysicalHostName, half: Half, step: Step, number: number): StepReport {
  const act = (one: Step): { readonly step: Step; readonly result: Result; readonly lists: Lists } => {
    const lists = listsOf(scene, host, half, one)
    const place = { state: scene.state, host, logicalHost: half.logicalHost }
    return { step: one, lists, result: perform(scene.world, place, one.action) }
  }
  const done = act(step)
  const rungs = done.result.outcome !== 'done' && step.ifItFails.kind === 'ladder' ? step.ifItFails.steps : []
  return { ...done, number, ladder: rungs.map(act) }
}

function listsOf(scene: Scene, host: PhysicalHostName, half: Half, { action }: Step): Lists {
  if (action.kind !== 'method') return undefined
  const service = scene.state.dataServices.get(action.service)
  if (service === undefined) return ['', '']
  return servedOn(scene, host).lists(service, action.method, half.logicalHost)
}

function outcomeOf({ step, result }: StepReport, index: number): HalfOutcome | undefined {
  if (result.outcome === 'done' || step.ifItFails.kind !== 'end-half') return undefined
  if (step.action.kind === 'prove-released') return { kind: 'unproved', leftovers: result.leftovers }
  return { kind: 'failed', failedStep: index, message: `${describeAction(step.action)}: ${result.message}` }
}

function end(scene: Scene, host: PhysicalHostName, due: Due, outcome: HalfOutcome): NonNullable<Walked['ended']> {
  const { half, reconfiguration } = due
  const incarnation = scene.state.members.get(host)?.incarnation ?? 0
  scene.cursors.delete(cursorKey(host, half))
  scene.done.add(`${reconfiguration}/${half.logicalHost}/${half.kind}/${host}/${incarnation}`)
  const next = advance(scene.state, { half, reconfiguration, outcome }, { nowWallMs: scene.nowWallMs })
  if (next.kind === 'plan') return { outcome, advance: next, decision: submit(scene, next.cause) }
  if (half.kind === 'give-up' && outcome.kind === 'done') servedOn(scene, host).forget(half.logicalHost)
  if (next.kind !== 'nothing') commit(scene, next.changes)
  return { outcome, advance: next }
}
