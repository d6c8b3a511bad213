import { expect, it } from 'vitest'
import { Knowledge } from '../../../src/framework/daemon/knowledge.ts'
import type { HostParts } from '../../../src/framework/daemon/parts.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { draftsOfConfiguration, putJournal } from '../../../src/framework/records/encode.ts'
import { demo } from '../configure/fixture.ts'

/** Longer than the test may take: only news end the wait. */
const LONG_MS = 60_000

it('wakes whoever waits for news also by the answer to an own commit that comes after that to a later one', async () => {
  const parts: Pick<HostParts, 'effects'> = { effects: createRealEffects() }
  const life = new AbortController()
  const knowledge = new Knowledge(parts as HostParts, life.signal)
  const { view } = knowledge
  knowledge.take(view.committed(5, [putJournal(view.journal())]))
  const { news } = knowledge
  const told = knowledge.newsAfter(news, LONG_MS, life.signal)
  knowledge.take(view.committed(4, draftsOfConfiguration({ kind: 'cluster', cluster: demo.cluster })))
  await told
  expect(view.contentRevision).toBe(5)
  expect(knowledge.news).toBe(news + 1)
})

it('does not wait for news that came between the look and the question', async () => {
  const parts: Pick<HostParts, 'effects'> = { effects: createRealEffects() }
  const life = new AbortController()
  const knowledge = new Knowledge(parts as HostParts, life.signal)
  const { news } = knowledge
  knowledge.take(knowledge.view.committed(4, draftsOfConfiguration({ kind: 'cluster', cluster: demo.cluster })))
  await knowledge.newsAfter(news, LONG_MS, life.signal)
  expect(knowledge.news).toBe(news + 1)
})
