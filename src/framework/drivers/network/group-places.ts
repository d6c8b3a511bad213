import type { GroupPlace } from '../../ports/public-adapters.ts'

/** A daemon that has just started knows its groups within milliseconds of its configuration; a step that needs one waits this long at most. */
const KNOWN_WITHIN_MS = 2_000

/** Knows which adapter stands behind the name of a group, and keeps steps and moves of one address from overlapping. */
export class GroupPlaces {
  #groups: ReadonlyMap<string, GroupPlace> | undefined
  #waiting: (() => void)[] = []
  readonly #locked = new Map<string, Promise<void>>()

  set(groups: readonly GroupPlace[]): void {
    this.#groups = new Map(groups.map((group) => [group.name, group]))
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  /** The group of this name, or that has this adapter; undefined when there is none, or none is known yet. */
  find(name: string): GroupPlace | undefined {
    return (
      this.#groups?.get(name) ?? [...(this.#groups?.values() ?? [])].find(({ adapters }) => adapters.includes(name))
    )
  }

  /** Resolves when groups are known, or after a while. */
  async known(sleep: (ms: number) => Promise<void>): Promise<void> {
    if (this.#groups !== undefined) return
    await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), sleep(KNOWN_WITHIN_MS)])
  }

  /** Locks an address; undefined when a step or a move has it. Returns what lets the next one in. */
  tryLock(key: string): (() => void) | undefined {
    if (this.#locked.has(key)) return undefined
    let unlock: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      unlock = () => {
        this.#locked.delete(key)
        resolve()
      }
    })
    this.#locked.set(key, held)
    return unlock
  }

  /** Waits until nobody has the address, and locks it. Calls for one address never overlap, so the wait is for one move at most. */
  async lock(key: string): Promise<() => void> {
    for (;;) {
      const unlock = this.tryLock(key)
      if (unlock !== undefined) return unlock
      await this.#locked.get(key)
    }
  }
}
