import type { Budgets } from '../model/cluster-config.ts'

/** How many of the lost hosts may be given up now, and the list to keep. */
export interface EvictionVerdict<Host> {
  readonly allowed: readonly Host[]
  /** These stay members until the window has moved on or an operator acts; the caller says so, loudly, once. */
  readonly refused: readonly Host[]
  /** Evictions within the window, the allowed ones included, oldest first; at most `evictionsMax`. */
  readonly evictionsMs: readonly number[]
}

/**
 * Limits how many hosts one observer gives up within the window: an observer that loses everybody is more likely to be wrong itself.
 * `evictionsMs`: its former evictions on its own monotonic clock. `lost` is in host order; the first ones are allowed.
 */
export function evictionVerdict<Host>(
  evictionsMs: readonly number[],
  lost: readonly Host[],
  nowMs: number,
  budget: Pick<Budgets, 'evictionsMax' | 'evictionWindowMs'>,
): EvictionVerdict<Host> {
  const within = evictionsMs.filter((at) => nowMs - at < budget.evictionWindowMs)
  const allowed = lost.slice(0, Math.max(0, budget.evictionsMax - within.length))
  return {
    allowed,
    refused: lost.slice(allowed.length),
    evictionsMs: [...within, ...allowed.map(() => nowMs)].slice(-budget.evictionsMax),
  }
}
