import type { Effects } from '../../../src/framework/ports/effects.ts'

/** Effects on a clock of their own: whenever nothing else is to do, time passes to the next sleeper. For hands that wait by `effects.sleep` only. */
export function createVirtualEffects(): Effects {
  let now = 1000
  const sleepers: { readonly at: number; readonly wake: () => void }[] = []
  const pass = (): void => {
    const next = sleepers.sort((a, b) => a.at - b.at).shift()
    if (next === undefined) return
    now = Math.max(now, next.at)
    next.wake()
    setImmediate(pass)
  }
  return {
    nowMonotonicMs: () => now,
    nowBootMs: () => now,
    nowWallMs: () => 1e12 + now,
    random: () => 0.5,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason)
          return
        }
        const sleeper = { at: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers.splice(sleepers.indexOf(sleeper) >>> 0, 1)
          reject(signal.reason)
        })
        setImmediate(pass)
      }),
  }
}
