import { actorOf } from '../../../../src/framework/model/mastery.ts'
import type { PhysicalHostName } from '../../../../src/framework/model/names.ts'
import type { Cause } from '../../../../src/framework/model/reconfiguration.ts'
import { needsSettling } from '../../../../src/framework/plan/planner.ts'
import { printDecision, printEnd, printHalfHead, printStep } from '../print.ts'
import { judgeAtRest } from '../referee.ts'
import { type Scene, submit } from '../scene.ts'
import { dueOn, type Walked, walk } from '../walk.ts'
import { killHost } from '../world.ts'

/** No scenario needs more; a planner that goes round in circles does. */
const stepsMax = 2000

/**
 * `run`: executes all that is due, on all hosts, until nothing is left to do. Hosts take turns in the order of the configuration, a half at a time.
 * `run 3`: only so many steps. `run h1`, `run h1 3`: only on that host.
 */
export function run(scene: Scene, words: readonly string[]): readonly string[] {
  const only = words.find((word) => !/^\d+$/.test(word))
  const limit = words.find((word) => /^\d+$/.test(word))
  const lines: string[] = []
  const budget = { left: limit === undefined ? stepsMax : Number(limit) }
  while (budget.left > 0) {
    const isWorked = runRound(scene, only, budget, lines)
    if (isWorked || budget.left === 0) continue
    const cause = only === undefined && limit === undefined ? nextByItself(scene) : undefined
    if (cause === undefined) break
    lines.push(...printDecision(submit(scene, cause)))
  }
  if (budget.left === 0 && limit === undefined) scene.faults.push(`no end after ${stepsMax} steps`)
  if (only === undefined && limit === undefined) scene.faults.push(...judgeAtRest(scene))
  return lines.length === 0 ? ['nothing is due'] : lines
}

/** Lets each host do the first half that it has to do; tells whether any had one. */
function runRound(scene: Scene, only: string | undefined, budget: { left: number }, lines: string[]): boolean {
  let isWorked = false
  for (const host of scene.state.physicalHosts.keys()) {
    if (only !== undefined && host !== only) continue
    const due = dueOn(scene, host)[0]
    if (due === undefined || budget.left === 0) continue
    isWorked = true
    const isBegun = [...scene.cursors.values()].some(
      (cursor) => cursor.due.half === due.half && cursor.next > 0 && cursor.due.generation === due.generation,
    )
    lines.push(printHalfHead(host, due.half, isBegun))
    while (budget.left > 0) {
      const walked = walk(scene, host, due)
      budget.left -= 1
      if (walked.report !== undefined) lines.push(...printStep(walked.report))
      if (walked.ended !== undefined) {
        lines.push(...printEnd(scene.state, walked, walked.ended))
        abortIfAsked(scene, host, walked)
        break
      }
    }
  }
  return isWorked
}

function abortIfAsked(scene: Scene, host: PhysicalHostName, { ended }: Walked): void {
  if (ended?.advance.kind === 'abort-host') killHost(scene.world, host)
}

/** What the loop of some host plans without being asked: the end of a leave, and settling. */
function nextByItself({ state, world, nowWallMs }: Scene): Cause | undefined {
  const left = [...state.members.values()].find(
    ({ host, state: life }) =>
      life === 'leaving' &&
      world.hosts.has(host) &&
      [...state.states.values()].every((at) => actorOf(at.mastery) !== host),
  )
  if (left !== undefined) return { kind: 'host-left', host: left.host }
  return needsSettling(state, { nowWallMs }) ? { kind: 'settle', why: 'something is to be settled' } : undefined
}
