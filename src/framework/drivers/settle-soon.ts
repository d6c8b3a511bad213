import type { Effects } from '../ports/effects.ts'

/** What a driver has for ending what it started: TERM, KILL and a little more for each of two programs. */
const SETTLE_MS_MAX = 2_000

/**
 * Does the work of a driver so that it rejects with the signal's reason soon after the signal aborts, whatever happens: a call into the kernel for a disk that
 * does not answer cannot be ended. Such work goes on by itself, if ever, and finds the signal aborted before its next step.
 */
export async function settleSoon<Value>(
  effects: Pick<Effects, 'sleep'>,
  signal: AbortSignal,
  work: () => Promise<Value>,
): Promise<Value> {
  signal.throwIfAborted()
  const over = new AbortController()
  const abandoned = new Promise<never>((_, reject) => {
    const onAbort = (): void => {
      effects.sleep(SETTLE_MS_MAX, over.signal).then(
        () => reject(signal.reason),
        () => undefined, // It has settled by itself.
      )
    }
    signal.addEventListener('abort', onAbort, { once: true, signal: over.signal })
  })
  const working = work()
  // Nobody hears of what comes after it was abandoned.
  working.catch(() => undefined)
  try {
    return await Promise.race([working, abandoned])
  } finally {
    over.abort('settled')
  }
}
