import { isHaError } from '../../../src/framework/errors/ha-error.ts'
import { Served } from '../../../src/framework/execute/served.ts'
import type { ClusterState, Member } from '../../../src/framework/model/cluster-state.ts'
import type { PhysicalHostName } from '../../../src/framework/model/names.ts'
import type { Cause, Plan, Reconfiguration, StateChange } from '../../../src/framework/model/reconfiguration.ts'
import { checkPlan, type Note } from '../../../src/framework/plan/check-plan.ts'
import type { Due } from '../../../src/framework/plan/due-halves.ts'
import { plan } from '../../../src/framework/plan/planner.ts'
import type { World } from './world.ts'

/** A half that was begun. */
export interface Cursor {
  readonly due: Due
  /** Index of the step that comes next. */
  readonly next: number
}

/** Everything that a scenario has made so far. Plain data and values: `copyScene` makes a second one. */
export interface Scene {
  state: ClusterState
  readonly world: World
  readonly reconfigurations: Map<number, Reconfiguration>
  /** Halves that were executed to their end, as `number/logical host/kind/host/incarnation`. */
  readonly done: Set<string>
  /** Begun halves by host, logical host and kind. */
  readonly cursors: Map<string, Cursor>
  /** What each host serves by the methods that it called in its life. */
  readonly served: Map<string, Served>
  nowWallMs: number
  /** Fatal notes and broken laws, with where they came from. A scenario with any fails. */
  readonly faults: string[]
}

/** Finds what a host serves; a host that has just joined, or whose clustd was restarted, begins with what is committed. */
export function servedOn(scene: Scene, host: PhysicalHostName): Served {
  const known = scene.served.get(host) ?? new Served(scene.state, host)
  scene.served.set(host, known)
  return known
}

/** Copies a scene; plans and states are values and shared. What hosts serve is made anew from the state. */
export function copyScene(scene: Scene): Scene {
  return {
    ...scene,
    world: structuredClone(scene.world),
    reconfigurations: new Map(scene.reconfigurations),
    done: new Set(scene.done),
    cursors: new Map(scene.cursors),
    served: new Map(),
    faults: [...scene.faults],
  }
}

/** What a cause led to. */
export type Decision =
  | { readonly kind: 'planned'; readonly plan: Plan; readonly notes: readonly Note[] }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

/** Plans for a cause and has the plan checked; commits nothing. */
export function decide(scene: Scene, cause: Cause): Decision {
  try {
    const made = plan(scene.state, cause, { nowWallMs: scene.nowWallMs })
    if (made.changes.length === 0 && made.halves.length === 0) return { kind: 'nothing' }
    const notes = checkPlan(scene.state, made)
    for (const { severity, subject, text } of notes) {
      if (severity === 'fatal') scene.faults.push(`plan ${made.number}: ${subject}: ${text}`)
    }
    return { kind: 'planned', plan: made, notes }
  } catch (error) {
    if (!isHaError(error)) throw error
    return { kind: 'refused', code: error.code, message: error.message }
  }
}

/** Plans and commits. */
export function submit(scene: Scene, cause: Cause): Decision {
  const decision = decide(scene, cause)
  if (decision.kind === 'planned') commitPlan(scene, decision.plan)
  return decision
}

function commitPlan(scene: Scene, made: Plan): void {
  const { number, cause, because, halves } = made
  const plannedBy = [...scene.state.members.keys()][0] ?? ('nobody' as PhysicalHostName)
  commit(scene, made.changes)
  scene.reconfigurations.set(number, { number, cause, because, halves, plannedBy, atWallMs: scene.nowWallMs })
  scene.state = { ...scene.state, lastReconfiguration: number }
}

/** Applies changes as one commit, and sees to it that the generation of each logical host grows with its mastery. */
export function commit(scene: Scene, changes: readonly StateChange[]): void {
  const states = new Map(scene.state.states)
  const members = new Map(scene.state.members)
  const dataServices = new Map(scene.state.dataServices)
  for (const change of changes) {
    switch (change.kind) {
      case 'logical-host': {
        const before = states.get(change.state.name)
        if (before !== undefined && change.state.generation < before.generation) {
          scene.faults.push(`${change.state.name}: generation goes back to ${change.state.generation}`)
        }
        states.set(change.state.name, change.state)
        break
      }
      case 'service':
        dataServices.set(change.service.name, change.service)
        break
      case 'member-joined':
        members.set(change.member.host, change.member)
        break
      case 'member-leaving':
        members.set(change.host, { ...memberOf(scene, change.host), state: 'leaving' })
        break
      case 'member-gone':
        members.delete(change.host)
        break
    }
  }
  scene.state = { ...scene.state, revision: scene.state.revision + 1, states, members, dataServices }
}

function memberOf({ state }: Scene, host: PhysicalHostName): Member {
  const member = state.members.get(host)
  if (member === undefined) throw new Error(`${host} is no member and is to leave`)
  return member
}
