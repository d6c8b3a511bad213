import type { Effects } from '../../ports/effects.ts'
import { EtcdFailure } from './failure.ts'
import { LANES_KEPT_FOR_STAMPS, LANES_MAX } from './limits.ts'

/** A key of this writer's own, which each of its commits rewrites. */
export interface Lane {
  readonly key: Buffer
  /** Revision of its last write that this writer knows of; 0 = it has to be made first. Only this writer writes it, and only if it is at this revision. */
  revision: number
}

/** How long a commit may take, and who gives it up before. */
export interface CommitWait {
  readonly untilMs: number
  readonly signal?: AbortSignal | undefined
  /** It comes before all that waits, and finds a lane that nothing else may take: a stamp that waited behind thirty patient commits would end its host. */
  readonly isUrgent: boolean
}

interface Waiter {
  readonly isUrgent: boolean
  readonly take: () => void
}

/** The lanes of one writer: so many commits are under way at most, the others wait for their turn, and not for longer than they have time. */
export class Lanes {
  readonly #keyOf: (number: number) => Buffer
  readonly #effects: Pick<Effects, 'sleep' | 'nowMonotonicMs'>
  readonly #idle: Lane[] = []
  readonly #waiting: Waiter[] = []
  #made = 0
  #taken = 0

  constructor(keyOf: (number: number) => Buffer, effects: Pick<Effects, 'sleep' | 'nowMonotonicMs'>) {
    this.#keyOf = keyOf
    this.#effects = effects
  }

  /** Works with a lane of its own. Rejects as the work does, or with an `EtcdFailure` of kind `unreachable` when none was free in time. */
  async with<Value>(wait: CommitWait, work: (lane: Lane) => Promise<Value>): Promise<Value> {
    if (this.#mayTake(wait)) this.#taken += 1
    else await this.#turn(wait)
    const lane = this.#idle.pop() ?? this.#make()
    try {
      return await work(lane)
    } finally {
      this.#idle.push(lane)
      this.#taken -= 1
      this.#callNext()
    }
  }

  #mayTake({ isUrgent }: Pick<Waiter, 'isUrgent'>): boolean {
    return this.#taken < (isUrgent ? LANES_MAX : LANES_MAX - LANES_KEPT_FOR_STAMPS)
  }

  #make(): Lane {
    this.#made += 1
    return { key: this.#keyOf(this.#made), revision: 0 }
  }

  #callNext(): void {
    const [next] = this.#waiting
    if (next === undefined || !this.#mayTake(next)) return
    this.#waiting.shift()
    this.#taken += 1
    next.take()
  }

  async #turn({ untilMs, signal, isUrgent }: CommitWait): Promise<void> {
    const over = new AbortController()
    const giveUp = (): void => over.abort()
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      await new Promise<void>((resolve, reject) => {
        const waiter: Waiter = { isUrgent, take: resolve }
        // Behind the urgent ones that wait already.
        const place = this.#waiting.findIndex((other) => isUrgent && !other.isUrgent)
        this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, waiter)
        const late = (): void => {
          const index = this.#waiting.indexOf(waiter)
          if (index < 0) return
          this.#waiting.splice(index, 1)
          reject(new EtcdFailure('unreachable', `${this.#taken} commits are under way, and none of them ended in time`))
        }
        this.#effects.sleep(Math.max(0, untilMs - this.#effects.nowMonotonicMs()), over.signal).then(late, late)
      })
    } finally {
      signal?.removeEventListener('abort', giveUp)
      over.abort()
    }
  }
}
