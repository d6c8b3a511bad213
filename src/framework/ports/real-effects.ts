import { readFileSync } from 'node:fs'
import type { Effects } from './effects.ts'

/** The longest wait that one timer of Node.js can do; a longer one would end at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** Makes the effects of the real world: the clocks of this machine, its random source, its timers. */
export function createRealEffects(): Effects {
  return {
    // Not performance.now(): its zero is the start of this process, and deadlines are handed from process to process.
    nowMonotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
    nowBootMs: () => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000,
    nowWallMs: () => Date.now(),
    sleep,
    random: () => Math.random(),
  }
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  for (let leftMs = ms; ; leftMs -= TIMER_MS_MAX) {
    await waitOnce(Math.min(leftMs, TIMER_MS_MAX), signal)
    if (leftMs <= TIMER_MS_MAX) return
  }
}

function waitOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
