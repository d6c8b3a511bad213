import type { Reconfiguration } from '../model/reconfiguration.ts'
import type { Half } from '../model/step.ts'
import { CopiedMap } from './copied-map.ts'
import type { ReconfigurationHead, ReconfigurationPart } from './plan-shapes.ts'

/** The kept reconfigurations, put together again from their records, which come in any order. */
export class Reconfigurations {
  readonly #whole = new CopiedMap<number, Reconfiguration>()
  readonly #parts = new Map<number, number>()
  readonly #waiting = new Map<number, { head?: ReconfigurationHead; readonly parts: Map<number, readonly Half[]> }>()

  all(): ReadonlyMap<number, Reconfiguration> {
    return this.#whole.handOut()
  }

  partsOf(number: number): number {
    return this.#parts.get(number) ?? 0
  }

  putHead(head: ReconfigurationHead): void {
    this.#parts.set(head.number, head.parts)
    if (head.parts === 0) this.#whole.set(head.number, withoutParts(head, head.halves))
    else {
      this.#wait(head.number).head = head
      this.#putTogether(head.number)
    }
  }

  putPart(part: ReconfigurationPart): void {
    this.#wait(part.number).parts.set(part.part, part.halves)
    this.#putTogether(part.number)
  }

  drop(number: number): void {
    this.#whole.delete(number)
    this.#parts.delete(number)
    this.#waiting.delete(number)
  }

  #wait(number: number): { head?: ReconfigurationHead; readonly parts: Map<number, readonly Half[]> } {
    const waiting = this.#waiting.get(number) ?? { parts: new Map<number, readonly Half[]>() }
    this.#waiting.set(number, waiting)
    return waiting
  }

  #putTogether(number: number): void {
    const { head, parts } = this.#wait(number)
    if (head === undefined || parts.size < head.parts) return
    const rest = [...parts].toSorted(([a], [b]) => a - b).flatMap(([, halves]) => halves)
    this.#whole.set(number, withoutParts(head, [...head.halves, ...rest]))
    this.#waiting.delete(number)
  }
}

function withoutParts(head: ReconfigurationHead, halves: readonly Half[]): Reconfiguration {
  const { number, cause, because, plannedBy, atWallMs } = head
  return { number, cause, because, halves, plannedBy, atWallMs }
}
