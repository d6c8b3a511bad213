import assert from 'node:assert/strict'

/** Something that will happen. */
export interface Happening {
  readonly atMs: number
  readonly run: () => void
}

interface Entry extends Happening {
  /** Among equals the first put is the first out: so that a seed means one history. */
  readonly order: number
}

/** A queue of happenings by time: a binary heap. */
export class HeapQueue {
  readonly #heap: Entry[] = []
  #order = 0

  push(atMs: number, run: () => void): void {
    this.#heap.push({ atMs, run, order: this.#order })
    this.#order += 1
    this.#rise(this.#heap.length - 1)
  }

  /** Takes the first happening that is not later than `untilMs`; undefined when there is none. */
  pop(untilMs: number): Happening | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.atMs > untilMs) return undefined
    const last = this.#heap.pop()
    assert(last !== undefined)
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#sink(0)
    }
    return first
  }

  #rise(start: number): void {
    for (let index = start; index > 0; ) {
      const parent = (index - 1) >> 1
      if (!this.#isBefore(index, parent)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #sink(start: number): void {
    for (let index = start; ; ) {
      const left = 2 * index + 1
      const child = left + 1 < this.#heap.length && this.#isBefore(left + 1, left) ? left + 1 : left
      if (child >= this.#heap.length || !this.#isBefore(child, index)) return
      this.#swap(index, child)
      index = child
    }
  }

  #at(index: number): Entry {
    const entry = this.#heap[index]
    assert(entry !== undefined)
    return entry
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#at(a), this.#at(b)]
    return first.atMs < second.atMs || (first.atMs === second.atMs && first.order < second.order)
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#at(a), this.#at(b)]
    this.#heap[a] = second
    this.#heap[b] = first
  }
}
