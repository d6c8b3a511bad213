import type { ClusterState } from '../model/cluster-state.ts'
import type { Mastery } from '../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { Reconfiguration } from '../model/reconfiguration.ts'
import type { Half, HalfKind } from '../model/step.ts'

/** A half that a host has to execute now. */
export interface Due {
  readonly reconfiguration: number
  /** Generation of the logical host at which the half is due; a later one forbids its steps. */
  readonly generation: number
  readonly half: Half
}

/** Whether a half was executed to its end by the present life of the host. */
export type IsDone = (reconfiguration: number, logicalHost: LogicalHostName, kind: HalfKind) => boolean

/** Order of the halves of one logical host on one host. */
const ORDER: readonly HalfKind[] = ['watch-stop', 'give-up', 'take-on', 'adjust', 'watch-start']

/**
 * Lists what `me` has to execute now, from nothing but what is committed: so a restarted daemon finds the same work again. Halves of one logical host
 * come in the order in which they must run; a plan that is no longer kept has nothing due.
 */
export function dueHalves(
  state: ClusterState,
  reconfigurations: ReadonlyMap<number, Reconfiguration>,
  me: PhysicalHostName,
  isDone: IsDone,
): readonly Due[] {
  const due: Due[] = []
  for (const at of state.states.values()) {
    const reconfiguration = reconfigurations.get(at.reconfiguration)
    if (reconfiguration === undefined) continue
    for (const half of halvesOf(reconfiguration, at.name, me)) {
      if (isCalledFor(half.kind, at.mastery, me) && !isDone(at.reconfiguration, at.name, half.kind)) {
        due.push({ reconfiguration: at.reconfiguration, generation: at.generation, half })
      }
    }
  }
  return due
}

function isCalledFor(kind: HalfKind, mastery: Mastery, me: PhysicalHostName): boolean {
  switch (kind) {
    case 'give-up':
      return mastery.kind === 'givingUp' && mastery.by === me
    case 'take-on':
      return mastery.kind === 'takingOn' && mastery.by === me
    case 'adjust':
      return mastery.kind === 'adjusting' && mastery.by === me
    case 'watch-stop':
      return true
    case 'watch-start':
      return mastery.kind === 'mastered'
  }
}

// A reconfiguration never changes, so its index is made once: with hundreds of logical hosts in one plan a search each time would be quadratic.
const INDEX = new WeakMap<Reconfiguration, ReadonlyMap<string, readonly Half[]>>()

function halvesOf(
  reconfiguration: Reconfiguration,
  logicalHost: LogicalHostName,
  host: PhysicalHostName,
): readonly Half[] {
  const known = INDEX.get(reconfiguration) ?? indexHalves(reconfiguration)
  return known.get(`${logicalHost}/${host}`) ?? []
}

function indexHalves(reconfiguration: Reconfiguration): ReadonlyMap<string, readonly Half[]> {
  const index = new Map<string, Half[]>()
  for (const half of reconfiguration.halves) {
    const key = `${half.logicalHost}/${half.host}`
    index.set(
      key,
      [...(index.get(key) ?? []), half].toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind)),
    )
  }
  INDEX.set(reconfiguration, index)
  return index
}
