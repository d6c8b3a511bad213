import { expect } from 'vitest'
import { isHaError } from '../../src/framework/errors/ha-error.ts'
import type { Change, ClusterDatabase, Guard, Write } from '../../src/framework/ports/cluster-database.ts'
import { eventually } from '../eventually.ts'

/** What the caller of one commit was told. */
type Told =
  | { readonly kind: 'committed'; readonly revision: number }
  | { readonly kind: 'lost-race' }
  | { readonly kind: 'unknown' }

const durable = { durability: 'durable' } as const

/**
 * A client that commits one thing after the other, each with a value that no other commit writes: unguarded, guarded by a revision, and guarded by the absence of a record that comes
 * and goes (the case in which a late second attempt of a commit could win after all). It keeps what it was told of each.
 */
export class CommitStream {
  readonly told = new Map<string, Told>()
  readonly #database: ClusterDatabase
  readonly #name: string
  #isStopped = false
  #done: Promise<void> = Promise.resolve()
  #seen = 0

  constructor(database: ClusterDatabase, name: string) {
    this.#database = database
    this.#name = name
  }

  start(): void {
    this.#done = this.#run()
  }

  /** Ends after the commit that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#done
  }

  /** How many were answered as committed. */
  get committed(): number {
    return [...this.told.values()].filter(({ kind }) => kind === 'committed').length
  }

  async #run(): Promise<void> {
    for (let number = 1; !this.#isStopped; number += 1) {
      const id = `${this.#name}-${number}`
      const put = (key: string): Write => ({ kind: 'put', key, value: id })
      const kind = number % 4
      if (kind === 0) await this.#commit(id, [], [put(`free/${this.#name}`)])
      else if (kind === 1) await this.#commit(id, this.#asSeen(), [put('shared')])
      else if (kind === 2) await this.#commit(id, [{ kind: 'absent', key: 'lock' }], [put('lock')])
      else await this.#commit(id, [], [put(`free/${this.#name}`), { kind: 'delete', key: 'lock' }])
      if (kind === 0) await this.#look()
    }
  }

  #asSeen(): readonly Guard[] {
    return [this.#seen === 0 ? { kind: 'absent', key: 'shared' } : { kind: 'at', key: 'shared', revision: this.#seen }]
  }

  async #look(): Promise<void> {
    try {
      this.#seen = (await this.#database.read()).records.get('shared')?.revision ?? 0
    } catch (error) {
      if (!isHaError(error, 'DATABASE_UNAVAILABLE')) throw error
    }
  }

  async #commit(id: string, guards: readonly Guard[], writes: readonly Write[]): Promise<void> {
    try {
      this.told.set(id, await this.#database.commit(guards, writes, durable))
    } catch (error) {
      if (!isHaError(error, 'DATABASE_UNAVAILABLE')) throw error
      this.told.set(id, { kind: 'unknown' })
    }
  }
}

/** Keeps everything that a watch tells, and fails at a gap: none of these tests compacts anything. */
export class Witness {
  readonly revisions: number[] = []
  readonly changes: Change[] = []
  #revision: number

  constructor(database: ClusterDatabase, fromRevision: number) {
    this.#revision = fromRevision
    database.watch(fromRevision, (event) => {
      if (event.kind === 'gap') throw new Error('a gap')
      if (event.revision <= this.#revision) return
      this.#revision = event.revision
      this.revisions.push(event.revision)
      this.changes.push(...event.changes)
    })
  }

  async reaches(revision: number): Promise<void> {
    await eventually(`a watch to reach revision ${revision}`, 10_000, (saw) => {
      saw(`revision ${this.#revision}`)
      return this.#revision >= revision ? true : undefined
    })
  }
}

/** Compares what the streams were told with the history of the database: each answer was true, and nothing happened twice. */
export function expectTrueAnswers(streams: readonly CommitStream[], history: Witness): void {
  const happened = new Map<string, number[]>()
  for (const change of history.changes) {
    if (change.kind !== 'put') continue
    const id = String(change.record.value)
    happened.set(id, [...(happened.get(id) ?? []), change.record.revision])
  }
  for (const stream of streams) {
    for (const [id, told] of stream.told) {
      const revisions = happened.get(id) ?? []
      if (told.kind === 'committed') expect([id, revisions]).toEqual([id, [told.revision]])
      else if (told.kind === 'lost-race') expect([id, revisions]).toEqual([id, []])
      else expect(revisions.length, `${id} at ${revisions.join(', ')}`).toBeLessThanOrEqual(1)
    }
  }
}
