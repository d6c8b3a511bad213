import fc from 'fast-check'
import { expect, it } from 'vitest'
import type {
  ClusterDatabase,
  CommitOutcome,
  Guard,
  Json,
  Snapshot,
  Write,
} from '../../src/framework/ports/cluster-database.ts'
import type { MakeHarness } from './cluster-database-harness.ts'

/** A commit as it is made up: guards speak of what the model holds when it runs, so that many hold and many do not. */
interface Attempt {
  readonly client: number
  readonly durability: 'durable' | 'volatile'
  readonly guards: readonly { readonly key: string; readonly kind: 'right' | 'old' | 'absent' }[]
  readonly writes: readonly { readonly key: string; readonly value: Json | undefined }[]
}

/** The database as one would write it down: a plain map. */
class Model {
  revision = 0
  readonly records = new Map<string, { readonly value: Json; readonly revision: number }>()

  broken(guards: readonly Guard[]): string | undefined {
    return guards.find(({ key, ...guard }) =>
      guard.kind === 'absent' ? this.records.has(key) : this.records.get(key)?.revision !== guard.revision,
    )?.key
  }

  apply(revision: number, writes: readonly Write[]): void {
    this.revision = revision
    for (const write of writes) {
      if (write.kind === 'put') this.records.set(write.key, { value: write.value, revision })
      else this.records.delete(write.key)
    }
  }

  expectSame(snapshot: Snapshot): void {
    const there = [...snapshot.records.values()].map(({ key, value, revision }) => [key, { value, revision }])
    expect(Object.fromEntries(there)).toEqual(Object.fromEntries(this.records))
  }
}

const CLIENTS = 3
const key = fc.constantFrom('a', 'b', 'c/d', 'c/e')
const value = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.constant(null),
  fc.record({ a: fc.integer() }),
  fc.array(fc.boolean(), { maxLength: 3 }),
)
const attempt: fc.Arbitrary<Attempt> = fc.record({
  client: fc.nat(CLIENTS - 1),
  durability: fc.constantFrom('durable', 'volatile'),
  guards: fc.array(fc.record({ key, kind: fc.constantFrom('right', 'right', 'old', 'absent') }), { maxLength: 2 }),
  writes: fc.uniqueArray(fc.record({ key, value: fc.option(value, { nil: undefined }) }), {
    maxLength: 3,
    selector: (write) => write.key,
  }),
})

/** Lets any sequence of commits by any clients end as it would in a plain map. */
export function describeDatabaseModel(makeHarness: MakeHarness): void {
  it('does what a plain map would do, whoever commits', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 25 }), (attempts) =>
        withClients(makeHarness, async (clients) => {
          const model = new Model()
          for (const one of attempts) {
            const database = clientOf(clients, one)
            const { guards, writes } = madeFor(model, one)
            const outcome = await database.commit(guards, writes, { durability: one.durability })
            const broken = model.broken(guards)
            expect(outcome).toEqual(
              broken === undefined
                ? { kind: 'committed', revision: expect.any(Number) }
                : { kind: 'lost-race', key: broken },
            )
            if (outcome.kind === 'committed') model.apply(outcome.revision, writes)
            model.expectSame(await database.read())
          }
          for (const database of clients) model.expectSame(await database.read())
        }),
      ),
      { numRuns: 60 },
    )
  })

  it('puts concurrent commits in one order, in which each guard held', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(attempt, { maxLength: 8 }), { maxLength: 5 }), (rounds) =>
        withClients(makeHarness, async (clients) => {
          const model = new Model()
          for (const round of rounds) {
            const made = round.map((one) => ({ one, ...madeFor(model, one) }))
            const outcomes = await Promise.all(
              made.map(({ one, guards, writes }) =>
                clientOf(clients, one).commit(guards, writes, { durability: one.durability }),
              ),
            )
            replay(model, made, outcomes)
            for (const database of clients) model.expectSame(await database.read())
          }
        }),
      ),
      { numRuns: 40 },
    )
  })
}

function replay(
  model: Model,
  made: readonly { guards: readonly Guard[]; writes: readonly Write[] }[],
  outcomes: readonly CommitOutcome[],
): void {
  const committed = outcomes.flatMap((outcome, index) =>
    outcome.kind === 'committed' ? [{ revision: outcome.revision, index }] : [],
  )
  for (const { revision, index } of committed.sort((a, b) => a.revision - b.revision)) {
    const { guards = [], writes = [] } = made[index] ?? {}
    expect(model.broken(guards)).toBeUndefined()
    model.apply(revision, writes)
  }
}

async function withClients(
  makeHarness: MakeHarness,
  use: (clients: readonly ClusterDatabase[]) => Promise<void>,
): Promise<void> {
  const harness = await makeHarness()
  try {
    await use(await Promise.all(Array.from({ length: CLIENTS }, () => harness.connect())))
  } finally {
    await harness.end()
  }
}

function clientOf(clients: readonly ClusterDatabase[], { client }: Attempt): ClusterDatabase {
  const database = clients[client]
  if (database === undefined) throw new Error(`no client ${client}`)
  return database
}

function madeFor(model: Model, { guards, writes }: Attempt): { guards: Guard[]; writes: Write[] } {
  return {
    guards: guards.map(({ key: guarded, kind }): Guard => {
      const revision = model.records.get(guarded)?.revision
      if (kind === 'absent' || (kind === 'right' && revision === undefined)) return { kind: 'absent', key: guarded }
      return { kind: 'at', key: guarded, revision: kind === 'right' ? (revision ?? 0) : (revision ?? 7) - 1 }
    }),
    writes: writes.map(
      ({ key: written, value: to }): Write =>
        to === undefined ? { kind: 'delete', key: written } : { kind: 'put', key: written, value: to },
    ),
  }
}
