import { HaError } from '../errors/ha-error.ts'
import { recordOf } from '../execute/commit-plan.ts'
import type { Cause, Plan } from '../model/reconfiguration.ts'
import { isSameValue } from '../model/same-value.ts'
import type { RecordKey } from '../ports/cluster-database.ts'
import type { ClusterView } from '../records/cluster-view.ts'
import { keyOf } from '../records/keys.ts'

/** As many plans as people look at side by side. */
const PREVIEWS_MAX = 50
/** Long enough to discuss a plan, short enough that nobody applies yesterday's. */
const PREVIEW_AGE_MS_MAX = 3_600_000

interface Preview {
  readonly plan: Plan
  readonly atMs: number
  /** Revisions of the records that the plan rests on; undefined = was absent. */
  readonly revisions: ReadonlyMap<RecordKey, number | undefined>
}

/** Remembers plans that were shown, so that exactly what was seen can be applied, or refused. */
export class Previews {
  readonly #kept = new Map<string, Preview>()
  #count = 0

  remember(view: ClusterView, plan: Plan, atMs: number): string {
    this.#count += 1
    const id = `${plan.number}.${this.#count}`
    this.#kept.set(id, { plan, atMs, revisions: revisionsOf(view, plan) })
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= PREVIEWS_MAX) break
      this.#kept.delete(oldest)
    }
    return id
  }

  /** Returns what the plan was made for. Throws `NOT_FOUND`. */
  causeOf(id: string, nowMs: number): Cause {
    return this.#get(id, nowMs).plan.cause
  }

  /** Throws `PLAN_STALE` when the plan made now does something else, or rests on something that has changed, `NOT_FOUND`. */
  refuseStale(id: string, view: ClusterView, made: Plan, nowMs: number): void {
    const shown = this.#get(id, nowMs)
    const now = revisionsOf(view, made)
    const hasMoved = now.size !== shown.revisions.size || [...now].some(([key, at]) => shown.revisions.get(key) !== at)
    if (!hasMoved && isSameValue(made.halves, shown.plan.halves)) return
    throw new HaError('PLAN_STALE', `what the plan ${id} was based on has changed since it was shown`, {
      hint: 'Look at a new plan.',
    })
  }

  #get(id: string, nowMs: number): Preview {
    const found = this.#kept.get(id)
    if (found !== undefined && nowMs - found.atMs <= PREVIEW_AGE_MS_MAX) return found
    throw new HaError('NOT_FOUND', `the plan ${id} was not shown by this host, or too long ago`, {
      hint: 'Look at a new plan.',
    })
  }
}

function revisionsOf(view: ClusterView, { changes, basedOn }: Plan): Preview['revisions'] {
  const keys = [
    ...changes.map(recordOf),
    ...basedOn.logicalHosts.map(keyOf.mastery),
    ...basedOn.dataServices.map(keyOf.dataService),
    ...basedOn.members.map(keyOf.member),
  ]
  return new Map(
    keys.map((key) => {
      const guard = view.guardOf(key)
      return [key, guard.kind === 'at' ? guard.revision : undefined]
    }),
  )
}
