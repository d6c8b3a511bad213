import type { Effects } from '../ports/effects.ts'

/** How bounded work ended. `late`: its time was up; it was told to end, and is not waited for. */
export type Ending<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'late' }

/** Does some work until a moment of the monotonic clock at most. Never rejects. When the moment has passed already, the work is not begun. */
export async function within<Value>(
  effects: Effects,
  untilMs: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Ending<Value>> {
  const leftMs = untilMs - effects.nowMonotonicMs()
  if (leftMs <= 0) return { kind: 'late' }
  const forWork = new AbortController()
  const forTimer = new AbortController()
  const late = effects.sleep(leftMs, forTimer.signal).then(
    (): Ending<Value> => ({ kind: 'late' }),
    // Cut off below, when the work has ended.
    (): Ending<Value> => ({ kind: 'late' }),
  )
  const ending = await Promise.race([endingOf(work, forWork.signal), late])
  forTimer.abort('no longer waited for')
  if (ending.kind === 'late') forWork.abort(new Error('its time is up'))
  return ending
}

async function endingOf<Value>(
  work: (signal: AbortSignal) => Promise<Value>,
  signal: AbortSignal,
): Promise<Ending<Value>> {
  try {
    return { kind: 'done', value: await work(signal) }
  } catch (error) {
    return { kind: 'failed', error }
  }
}
