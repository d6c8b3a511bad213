import type { Effects } from '../ports/effects.ts'

/** How work with a time limit ended. */
export type Ended<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'error'; readonly error: unknown }
  /** It did not even settle when it was told to end; it may still be running. */
  | { readonly kind: 'unresponsive' }

/** A limit of time for a piece of work. */
export interface Limit {
  readonly timeoutMs: number
  /** How long the work has to settle once it is told to end. */
  readonly graceMs: number
  /** Ends the work early. */
  readonly signal: AbortSignal
}

/** What calls a wait off: without a reason of ours Node.js makes an error with a stack each time, which costs more than the wait. */
export const CALLED_OFF = 'no longer waited for'

/** What the signal of a piece of work aborts with when its time is up. */
export const TIME_IS_UP = 'its time is up'

/**
 * Runs work with a limit: when its time is up, or `signal` aborts, the work's own signal aborts; it then has `graceMs` to settle and is left behind
 * otherwise. `isTimeUp` tells whether the limit was reached, however the work took that.
 */
export async function runWithin<Value>(
  effects: Effects,
  limit: Limit,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<{ readonly ended: Ended<Value>; readonly isTimeUp: boolean }> {
  const worker = new AbortController()
  const timeout = new AbortController()
  const grace = new AbortController()
  let isTimeUp = false
  const onAbort = (): void => {
    worker.abort(limit.signal.reason)
    timeout.abort(CALLED_OFF)
  }
  if (limit.signal.aborted) onAbort()
  else limit.signal.addEventListener('abort', onAbort, { once: true })
  const unresponsive = (async (): Promise<Ended<Value>> => {
    await sleepUntilAborted(effects, limit.timeoutMs, timeout.signal)
    isTimeUp = !timeout.signal.aborted
    if (isTimeUp) worker.abort(TIME_IS_UP)
    await sleepUntilAborted(effects, limit.graceMs, grace.signal)
    return { kind: 'unresponsive' }
  })()
  try {
    const ended = await Promise.race([settled(work, worker.signal), unresponsive])
    return { ended, isTimeUp }
  } finally {
    limit.signal.removeEventListener('abort', onAbort)
    // The grace first: otherwise it would begin when the timeout is called off.
    grace.abort(CALLED_OFF)
    timeout.abort(CALLED_OFF)
  }
}

async function settled<Value>(
  work: (signal: AbortSignal) => Promise<Value>,
  signal: AbortSignal,
): Promise<Ended<Value>> {
  try {
    return { kind: 'value', value: await work(signal) }
  } catch (error) {
    return { kind: 'error', error }
  }
}

/** Sleeps, and also returns when the signal aborts. */
export async function sleepUntilAborted(effects: Effects, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await effects.sleep(ms, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
