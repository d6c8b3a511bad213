import { HeapQueue } from './heap-queue.ts'

/** A time that passes only when the simulation lets it: events happen in order, and everything a process does at one event happens before the next. */
export class VirtualTime {
  readonly #queue = new HeapQueue()
  #nowMs = 0

  /** Milliseconds of true time since the simulation began. Machines see it through their own, slightly wrong, clocks. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Lets `run` happen `delayMs` from now, after everything else that was put at that moment before. */
  after(delayMs: number, run: () => void): void {
    this.#queue.push(this.#nowMs + Math.max(0, delayMs), run)
  }

  /** Lets time pass until `untilMs`; ends early when `isOver` says so. */
  async runUntil(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    for (let next = this.#queue.pop(untilMs); next !== undefined && !isOver(); next = this.#queue.pop(untilMs)) {
      this.#nowMs = next.atMs
      next.run()
      await settled()
    }
    if (!isOver()) this.#nowMs = Math.max(this.#nowMs, untilMs)
  }
}

/** Resolves when every microtask has run, and those that they made: a macrotask comes after all of them. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
