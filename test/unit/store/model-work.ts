import { expect } from 'vitest'
import { isHaError } from '../../../src/framework/errors/ha-error.ts'
import type { ClusterDatabase, Snapshot } from '../../../src/framework/ports/cluster-database.ts'
import type { Effects } from '../../../src/framework/ports/effects.ts'
import type { Files } from '../../../src/framework/ports/files.ts'
import { openFileDatabase } from '../../../src/framework/store/file/open-file-database.ts'
import { Killed } from './model-disk.ts'

/** Makes a random source of its own out of a seed (mulberry32), so that a seed is a reproduction. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Effects whose time passes only in sleeps, which end at once. */
export function modelEffects(seed: number): Effects {
  let nowMs = 0
  const now = (): number => nowMs
  return {
    nowMonotonicMs: now,
    nowBootMs: now,
    nowWallMs: now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      nowMs += ms
    },
    random: seededRandom(seed),
  }
}

/** Opens the database of a model disk. The log is so short that it is replaced again and again. */
export function openModel(
  files: Files,
  options: {
    readonly create?: boolean
    readonly log?: (message: string) => void
    readonly logSizeBytesMax?: number
  } = {},
): Promise<ClusterDatabase> {
  return openFileDatabase({ directory: '/db', effects: modelEffects(1), files, logSizeBytesMax: 400, ...options })
}

/** What one or several processes tried to commit, and what they were answered. Each commit writes its number into two records. */
export class Work {
  /** Numbers of the commits that were answered, and how they were to be kept. */
  readonly answered: {
    readonly number: number
    readonly revision: number
    readonly durability: 'durable' | 'volatile'
  }[] = []
  /** Errors that were answered. */
  readonly refused: unknown[] = []
  #number = 0

  /** Number of the last commit that was tried. */
  get lastNumber(): number {
    return this.#number
  }

  /** Commits `count` times, every fourth time with two more beside it; goes on after errors, and ends when the process is killed. */
  async commitSome(database: ClusterDatabase, count: number): Promise<void> {
    for (let done = 0; done < count; done += 1) {
      const beside = done % 4 === 3 ? 3 : 1
      const alive = await Promise.all(Array.from({ length: beside }, () => this.#commitOnce(database)))
      if (alive.includes(false)) return
    }
  }

  /** False when the process is killed. */
  async #commitOnce(database: ClusterDatabase): Promise<boolean> {
    this.#number += 1
    const number = this.#number
    const durability = number % 3 === 0 ? 'durable' : 'volatile'
    const value = { number, filling: 'x'.repeat(30) }
    const writes = [
      { kind: 'put', key: 'left', value },
      { kind: 'put', key: `list/${number % 4}`, value: number },
      { kind: 'put', key: 'right', value },
    ] as const
    try {
      const outcome = await database.commit([], writes, { durability })
      if (outcome.kind === 'committed') this.answered.push({ number, revision: outcome.revision, durability })
    } catch (error) {
      if (isKilled(error)) return false
      this.refused.push(error)
    }
    return true
  }

  /** Demands that a database holds one whole commit, and no older one than was answered (as durable, or at all). Returns the number of that commit, 0 for none. */
  expectKept(snapshot: Snapshot, kept: 'all' | 'durable'): number {
    const numberOf = (key: string): number =>
      (snapshot.records.get(key)?.value as { number: number } | undefined)?.number ?? 0
    const number = numberOf('left')
    expect(numberOf('right')).toBe(number)
    if (number > 0)
      expect(snapshot.records.get(`list/${number % 4}`)).toMatchObject({ value: number, revision: snapshot.revision })
    const must = this.answered.filter(({ durability }) => kept === 'all' || durability === 'durable')
    const last = must.sort((a, b) => a.revision - b.revision).at(-1)
    expect(snapshot.revision).toBeGreaterThanOrEqual(last?.revision ?? 0)
    if (snapshot.revision === last?.revision) expect(number).toBe(last.number)
    return number
  }
}

/** Lists the numbers of all commits of which something is there. */
export function numbersIn(snapshot: Snapshot): readonly number[] {
  return [...snapshot.records.values()].map(({ key, value }) =>
    key.startsWith('list/') ? (value as number) : (value as { number: number }).number,
  )
}

/** Tells whether a failure is that of a killed process. */
export function isKilled(error: unknown): boolean {
  return error instanceof Killed || (isHaError(error) && error.cause instanceof Killed)
}

/** Lets everything run that waits for nothing but its turn. */
export async function settleTurns(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
