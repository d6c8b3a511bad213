/** How often something may be restarted before whoever restarts it gives up. */
export interface RestartLimit {
  readonly restartsMax: number
  readonly windowMs: number
}

/** What the limit says about one more restart, and the list to keep: restarts within the window with this one, at most `restartsMax` + 1. */
export interface RestartVerdict {
  readonly verdict: 'restart' | 'give-up'
  readonly restartsMs: readonly number[]
}

/**
 * Judges one more restart. `restartsMs`: earlier ones on one monotonic clock, oldest first, possibly empty.
 * The rule is that of Erlang's supervisors (`add_restart/3`): more than `restartsMax` within the window is a fault that restarting does not cure.
 */
export function addRestart(restartsMs: readonly number[], nowMs: number, limit: RestartLimit): RestartVerdict {
  const within = [...restartsMs.filter((at) => nowMs - at < limit.windowMs), nowMs]
  return {
    verdict: within.length <= limit.restartsMax ? 'restart' : 'give-up',
    restartsMs: within.slice(-(limit.restartsMax + 1)),
  }
}
