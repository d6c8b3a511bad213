import type { HalfRun } from '../model/timeline.ts'
import type { RecordKey } from '../ports/cluster-database.ts'
import { type HalfRunKey, keyOf } from './keys.ts'

/** The executed halves, found by their reconfiguration. */
export class HalfRuns {
  readonly #byNumber = new Map<number, Map<RecordKey, HalfRun>>()

  put(run: HalfRun): void {
    const runs = this.#byNumber.get(run.reconfiguration)
    if (runs === undefined) this.#byNumber.set(run.reconfiguration, new Map([[keyOf.halfRun(run), run]]))
    else runs.set(keyOf.halfRun(run), run)
  }

  drop(key: RecordKey): void {
    const number = Number(key.split('/')[1])
    const runs = this.#byNumber.get(number)
    runs?.delete(key)
    if (runs?.size === 0) this.#byNumber.delete(number)
  }

  get(key: HalfRunKey): HalfRun | undefined {
    return this.#byNumber.get(key.reconfiguration)?.get(keyOf.halfRun(key))
  }

  /** Lists the halves of a reconfiguration that have ended, in order of their start. */
  of(reconfiguration: number): readonly HalfRun[] {
    const runs = [...(this.#byNumber.get(reconfiguration)?.values() ?? [])]
    return runs.toSorted((a, b) => a.startedWallMs - b.startedWallMs)
  }
}
