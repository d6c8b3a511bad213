import type { Effects } from '../ports/effects.ts'

/** Voters come and go seldom. */
const LOOK_EVERY_MS = 10_000
/** But one that is not known yet is missed when the known ones are away: whoever was let in is looked for at every turn for so long. Then it is taken for one that does not vote. */
const SOON_FOR_MS = 60_000

/** Says when the voters are to be listed. */
export interface VoterLooks {
  /** Whether now; then it counts as done. `machines`: the names of all that were let into the cluster. */
  areDue(machines: readonly string[]): boolean
  /** The voters that were found. */
  saw(voters: readonly string[]): void
}

/** Makes what says it. */
export function createVoterLooks(effects: Pick<Effects, 'nowMonotonicMs'>): VoterLooks {
  let lookedMs = Number.NEGATIVE_INFINITY
  let seen: readonly string[] = []
  const letInMs = new Map<string, number>()
  return {
    areDue: (machines) => {
      const nowMs = effects.nowMonotonicMs()
      for (const name of machines) if (!letInMs.has(name)) letInMs.set(name, nowMs)
      for (const name of letInMs.keys()) if (!machines.includes(name)) letInMs.delete(name)
      const isAwaited = ([name, ms]: readonly [string, number]): boolean =>
        !seen.includes(name) && nowMs - ms < SOON_FOR_MS
      if (nowMs - lookedMs < LOOK_EVERY_MS && ![...letInMs].some(isAwaited)) return false
      lookedMs = nowMs
      return true
    },
    saw: (voters) => {
      seen = voters
    },
  }
}
