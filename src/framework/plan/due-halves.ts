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
  const due: Due[] = [...dueStops(state, reconfigurations, me, isDone)]
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

/**
 * Fault monitors are stopped by every plan that says so, also by one that another has overtaken before this host came to it: the later plan counts on it.
 * They come before everything else of their logical host, so none ends a monitor that was started later. A life has nothing to do with plans before it.
 */
function dueStops(
  state: ClusterState,
  reconfigurations: ReadonlyMap<number, Reconfiguration>,
  me: PhysicalHostName,
  isDone: IsDone,
): readonly Due[] {
  const joined = state.members.get(me)?.incarnation ?? Number.POSITIVE_INFINITY
  const due: Due[] = []
  for (const reconfiguration of reconfigurations.values()) {
    if (reconfiguration.number <= joined) continue
    for (const half of stopsOf(reconfiguration, me)) {
      const generation = state.states.get(half.logicalHost)?.generation
      if (generation !== undefined && !isDone(reconfiguration.number, half.logicalHost, 'watch-stop')) {
        due.push({ reconfiguration: reconfiguration.number, generation, half })
      }
    }
  }
  return due.toSorted((a, b) => a.reconfiguration - b.reconfiguration)
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
      return false
    case 'watch-start':
      return mastery.kind === 'mastered'
  }
}

interface HalfIndex {
  /** By `logical host/host`, in the order in which they run. */
  readonly byPlace: ReadonlyMap<string, readonly Half[]>
  /** Halves that stop monitors, by host. */
  readonly stops: ReadonlyMap<string, readonly Half[]>
}

// A reconfiguration never changes, so its index is made once: with hundreds of logical hosts in one plan a search each time would be quadratic.
const INDEX = new WeakMap<Reconfiguration, HalfIndex>()

function halvesOf(
  reconfiguration: Reconfiguration,
  logicalHost: LogicalHostName,
  host: PhysicalHostName,
): readonly Half[] {
  return indexOf(reconfiguration).byPlace.get(`${logicalHost}/${host}`) ?? []
}

function stopsOf(reconfiguration: Reconfiguration, host: PhysicalHostName): readonly Half[] {
  return indexOf(reconfiguration).stops.get(host) ?? []
}

function indexOf(reconfiguration: Reconfiguration): HalfIndex {
  const known = INDEX.get(reconfiguration)
  if (known !== undefined) return known
  const byPlace = new Map<string, Half[]>()
  const stops = new Map<string, Half[]>()
  for (const half of reconfiguration.halves.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))) {
    append(byPlace, `${half.logicalHost}/${half.host}`, half)
    if (half.kind === 'watch-stop') append(stops, half.host, half)
  }
  const index = { byPlace, stops }
  INDEX.set(reconfiguration, index)
  return index
}

function append(lists: Map<string, Half[]>, key: string, half: Half): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [half])
  else list.push(half)
}
