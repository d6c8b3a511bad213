import { describe, expect, it } from 'vitest'
import type { WatchEvent } from '../../../src/framework/ports/cluster-database.ts'
import { MemoryDatabaseCore } from '../../../src/framework/store/memory.ts'

describe('memory database', () => {
  it('commits synchronously', () => {
    const core = new MemoryDatabaseCore()
    expect(core.commit([{ kind: 'absent', key: 'x' }], [{ kind: 'put', key: 'x', value: 1 }])).toEqual({
      kind: 'committed',
      revision: 1,
    })
    expect(core.commit([{ kind: 'absent', key: 'x' }], [])).toEqual({ kind: 'lost-race', key: 'x' })
    expect(core.snapshot().records.get('x')).toEqual({ key: 'x', value: 1, revision: 1 })
  })

  it('hands out values that nobody can change', () => {
    const core = new MemoryDatabaseCore()
    core.commit([], [{ kind: 'put', key: 'x', value: { list: [{ a: 1 }] } }])
    const value = core.snapshot().records.get('x')?.value as { list: { a: number }[] }
    expect(() => value.list.push({ a: 2 })).toThrow(TypeError)
    expect(() => Object.assign(value.list[0] ?? {}, { a: 2 })).toThrow(TypeError)
  })

  it('lets its owner delay, repeat and replace every event, client by client', () => {
    const held: { client: string; tell: (event: WatchEvent) => void; event: WatchEvent }[] = []
    const core = new MemoryDatabaseCore({ deliver: (event, tell, client) => held.push({ client, tell, event }) })
    const seen: WatchEvent[] = []
    const [alpha, beta] = [core.connect('alpha'), core.connect('beta')]
    alpha.watch(0, (event) => seen.push(event))
    const watch = beta.watch(0, (event) => seen.push(event))
    core.commit([], [{ kind: 'put', key: 'x', value: 1 }])
    expect(held.map(({ client }) => client)).toEqual(['alpha', 'beta'])
    expect(seen).toEqual([])
    const [first, second] = held
    first?.tell(first.event)
    first?.tell(first.event)
    first?.tell({ kind: 'gap' })
    watch.close()
    second?.tell(second.event)
    const changed = {
      kind: 'changed',
      revision: 1,
      changes: [{ kind: 'put', record: { key: 'x', value: 1, revision: 1 } }],
    }
    expect(seen).toEqual([changed, changed, { kind: 'gap' }])
  })

  it('tells a watch that begins too far back of a gap, and one that does not of everything since', () => {
    const seen = new Map<number, WatchEvent[]>()
    const core = new MemoryDatabaseCore({ deliver: (event, tell) => tell(event) })
    const database = core.connect()
    for (let value = 1; value <= 1000; value += 1) core.commit([], [{ kind: 'put', key: 'x', value }])
    for (const from of [0, 1, 900, 1000, 1001]) {
      const events: WatchEvent[] = []
      seen.set(from, events)
      database.watch(from, (event) => events.push(event))
    }
    core.commit([], [{ kind: 'put', key: 'x', value: 1001 }])
    core.commit([], [{ kind: 'put', key: 'x', value: 1002 }])
    const told = (from: number): unknown[] =>
      (seen.get(from) ?? []).map((event) => (event.kind === 'gap' ? 'gap' : event.revision))
    expect(told(0)).toEqual(['gap', 1001, 1002])
    expect(told(1)).toEqual(['gap', 1001, 1002])
    expect(told(900)).toEqual(Array.from({ length: 102 }, (_, index) => 901 + index))
    expect(told(1000)).toEqual([1001, 1002])
    expect(told(1001)).toEqual([1002])
  })
})
