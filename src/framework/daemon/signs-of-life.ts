import { sleepUntilAborted } from '../execute/run-within.ts'
import { expiryMs } from '../membership/check-timings.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { Host } from './host.ts'
import type { StartWish } from './start-mode.ts'

/** What watching the stamps of the members for one expiry showed. */
export interface SignsOfLife {
  /** Members other than this host that stamped while they were watched. */
  readonly alive: readonly PhysicalHostName[]
  /** Revision of each member's stamp when the watching began; absent = it had none. What the giving up of silent ones is guarded on. */
  readonly stampRevisions: ReadonlyMap<PhysicalHostName, number>
}

/**
 * Watches the stamps of the other members: until the first one stamps (one is enough to know that the cluster lives), and for one expiry at most. Without
 * other members there is nothing to wait for.
 */
export async function watchSignsOfLife(host: Host, wish: StartWish): Promise<SignsOfLife> {
  const { parts, knowledge, life } = host
  const others = [...host.state().members.keys()].filter((name) => name !== parts.host)
  const stampRevisions = revisionsOf(host)
  if (others.length === 0) return { alive: [], stampRevisions }
  const timings = host.timings()
  parts.log.write({ level: 'info', message: `looks for signs of life of ${others.join(', ')} (${wish})` })
  const seen = new AbortController()
  const stopListening = knowledge.listen(() => {
    if (movedSince(host, others, stampRevisions).length > 0) seen.abort()
  })
  const onEnd = (): void => seen.abort()
  life.signal.addEventListener('abort', onEnd, { once: true })
  const stamped = [...host.view.stamps().values()].map(({ stamp }) => stamp.expiryMs)
  const silenceMs = Math.max(expiryMs(timings), ...stamped)
  await sleepUntilAborted(parts.effects, silenceMs + timings.stampMs, seen.signal)
  life.signal.removeEventListener('abort', onEnd)
  stopListening()
  // The watch is only a hint: what it did not tell is in the database.
  await host.readAgain()
  return { alive: movedSince(host, others, stampRevisions), stampRevisions }
}

function revisionsOf({ view }: Host): ReadonlyMap<PhysicalHostName, number> {
  return new Map([...view.stamps()].map(([name, { revision }]) => [name, revision]))
}

function movedSince(
  { view }: Host,
  others: readonly PhysicalHostName[],
  before: ReadonlyMap<PhysicalHostName, number>,
): readonly PhysicalHostName[] {
  return others.filter((name) => {
    const revision = view.stamps().get(name)?.revision
    return revision !== undefined && revision !== before.get(name)
  })
}
