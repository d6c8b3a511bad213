import { HaError } from '../../framework/errors/ha-error.ts'
import type { Effects } from '../../framework/ports/effects.ts'
import { createRealEffects } from '../../framework/ports/real-effects.ts'

/** First and longest pause between two probes: what is quick is seen at once, what is slow is not disturbed. */
const PROBE_EVERY_MS = { min: 5, max: 100 }

/**
 * Waits until `probe` returns something other than undefined and false, and returns that. The bound is on the waiting: a probe that takes long itself
 * must have a bound of its own.
 *
 * @param what - ends the sentence "waited 5 s for ...": `'the web server to answer'`
 * @param withinS - seconds, fractions allowed; with 0 it is probed once. Leave some of the method's own timeout for the rest of its work
 * @param probe - an exception means: not yet; the last one is the cause of the error. Throws `WAIT_TIMED_OUT` when the time is over
 */
export async function waitUntil<T>(
  what: string,
  withinS: number,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  effects: Effects = createRealEffects(),
): Promise<T> {
  const untilMs = effects.nowMonotonicMs() + withinS * 1000
  for (let pauseMs = PROBE_EVERY_MS.min; ; pauseMs = Math.min(pauseMs * 2, PROBE_EVERY_MS.max)) {
    const leftMs = untilMs - effects.nowMonotonicMs()
    const seen = await probeOnce(probe)
    if (seen.value !== undefined && seen.value !== false) return seen.value
    if (leftMs <= 0) {
      throw new HaError('WAIT_TIMED_OUT', `waited ${withinS} s for ${what}, in vain`, { cause: seen.error })
    }
    await effects.sleep(Math.min(pauseMs, leftMs))
  }
}

async function probeOnce<T>(
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<{ readonly value: T | undefined | false; readonly error?: unknown }> {
  try {
    return { value: await probe() }
  } catch (error) {
    return { value: undefined, error }
  }
}
