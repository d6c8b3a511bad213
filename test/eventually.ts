import { inspect } from 'node:util'

/** Often enough that no test waits for nothing, seldom enough that the tests do not starve what they watch. */
const pollEveryMs = 10

/** A look that begins at the deadline gets this long to come back. */
const lookMsMin = 250

/** Keeps what a probe looked at, so that a wait in vain can say what there was instead. */
export type Saw = (view: unknown) => void

/**
 * Waits until `probe` returns something other than undefined, and returns that.
 * Fails after `withinMs` with what it waited for, what the probe last saw (`saw(view)`), and what the probe last threw.
 *
 * @param what - ends the sentence "waited 500 ms for ...": `'lh1 to be mastered by beta'`
 * @param withinMs - a bound for a slow and busy machine, not the time that it should take
 * @param probe - looks at the state as it is, not for a change: a change may be over before anybody looks.
 *   It is called about every 10 ms, never twice at the same time, and once more after the time is over. If it throws, it is called again.
 */
export async function eventually<T>(
  what: string,
  withinMs: number,
  probe: (saw: Saw) => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + withinMs
  const watch: Watch = { looks: 0, lastView: undefined, lastError: undefined, unanswered: false }
  for (;;) {
    const leftMs = deadline - performance.now()
    const found = await look(probe, watch, Math.max(leftMs, lookMsMin))
    if (found !== undefined) return found
    // Judged by the time before the look: a process that was stalled past the deadline looks once more before it complains.
    if (leftMs <= 0 || watch.unanswered)
      throw new Error(complaint(what, withinMs, watch), { cause: watch.lastError?.error })
    await pause(pollEveryMs)
  }
}

interface Watch {
  looks: number
  lastView: { readonly view: unknown } | undefined
  lastError: { readonly error: unknown } | undefined
  /** The last probe has not come back; another one beside it would only mislead. */
  unanswered: boolean
}

async function look<T>(
  probe: (saw: Saw) => T | undefined | Promise<T | undefined>,
  watch: Watch,
  leftMs: number,
): Promise<T | undefined> {
  watch.looks += 1
  let timer: NodeJS.Timeout | undefined
  const outOfTime = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      watch.unanswered = true
      resolve(undefined)
    }, leftMs)
  })
  const saw: Saw = (view) => {
    watch.lastView = { view }
  }
  try {
    const found = await Promise.race([Promise.resolve(probe(saw)), outOfTime])
    watch.lastError = undefined
    return found
  } catch (error) {
    watch.lastError = { error }
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

function complaint(what: string, withinMs: number, watch: Watch): string {
  const lines = [`waited ${withinMs} ms for ${what}, in vain (${watch.looks} ${watch.looks === 1 ? 'look' : 'looks'})`]
  if (watch.unanswered) lines.push('the last probe did not come back in that time')
  if (watch.lastView !== undefined) lines.push(`last saw: ${shown(watch.lastView.view)}`)
  if (watch.lastError !== undefined) lines.push(`the last probe threw: ${shown(watch.lastError.error)}`)
  return lines.join('\n')
}

function shown(view: unknown): string {
  if (typeof view === 'string') return view
  if (view instanceof Error) return view.stack ?? view.message
  return inspect(view, { depth: 6, breakLength: 120 })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
