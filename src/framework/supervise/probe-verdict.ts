import { assertNever } from '../errors/assert-never.ts'
import { addRestart, type RestartLimit } from './restart-intensity.ts'

/** How one run of FM_CHECK ended. */
export type ProbeEnding =
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** A whole timeout of the probe went by. */
  | { readonly kind: 'timed-out' }
  /** Ended by a signal that Haven did not send, or could not be started: it says nothing about the service. */
  | { readonly kind: 'did-not-run' }

/** What is remembered from probe to probe. */
export interface ProbeHistory {
  /** Bad endings since the service was healthy last; a probe that abstains neither adds nor clears. */
  readonly failuresInARow: number
  readonly timeoutsInARow: number
  /** Restarts of the service by its fault monitor, monotonic clock, oldest first. */
  readonly restartsMs: readonly number[]
}

/** `suspect`: not healthy, but not often enough yet. `abstains`: this probe could not tell. */
export type ProbeVerdict = 'healthy' | 'suspect' | 'failed' | 'abstains'

/** Limits of one fault monitor. */
export interface ProbeLimits {
  /** So many times not healthy in a row is a failure; at least 1. */
  readonly failuresMax: number
  readonly restarts: RestartLimit
}

/** A service that was never probed. */
export const NEW_PROBE_HISTORY: ProbeHistory = { failuresInARow: 0, timeoutsInARow: 0, restartsMs: [] }

/** FM_CHECK exits with it when it cannot tell (EX_TEMPFAIL of sysexits.h). */
const EXIT_ABSTAINS = 75

/**
 * A slow probe must not become an outage: one timeout is suspect whatever the limits say, a second whole one in a row is a failure, because a service that
 * did not answer for two whole timeouts is of no use to anybody.
 */
const TIMEOUTS_MAX = 2

/** Judges one ending of a probe in the light of those before it. */
export function probeVerdict(
  history: ProbeHistory,
  ending: ProbeEnding,
  limits: ProbeLimits,
): { readonly verdict: ProbeVerdict; readonly history: ProbeHistory } {
  switch (ending.kind) {
    case 'exited':
      if (ending.exitCode === EXIT_ABSTAINS) return { verdict: 'abstains', history }
      if (ending.exitCode === 0) {
        return { verdict: 'healthy', history: { ...history, failuresInARow: 0, timeoutsInARow: 0 } }
      }
      return judge({ ...history, failuresInARow: history.failuresInARow + 1, timeoutsInARow: 0 }, limits)
    case 'timed-out':
      return judge({ ...history, timeoutsInARow: history.timeoutsInARow + 1 }, limits)
    case 'did-not-run':
      return { verdict: 'abstains', history }
    default:
      return assertNever(ending)
  }
}

/** Decides what a fault monitor does about a failed service: restart it here while its budget lasts, then ask for a takeover. */
export function remedyForFailure(
  history: ProbeHistory,
  nowMs: number,
  limits: ProbeLimits,
): { readonly remedy: 'restart' | 'ask-for-takeover'; readonly history: ProbeHistory } {
  const { verdict, restartsMs } = addRestart(history.restartsMs, nowMs, limits.restarts)
  return {
    remedy: verdict === 'restart' ? 'restart' : 'ask-for-takeover',
    // Whatever is done, the service deserves a fresh judgement afterwards.
    history: { failuresInARow: 0, timeoutsInARow: 0, restartsMs },
  }
}

function judge(history: ProbeHistory, limits: ProbeLimits): { verdict: ProbeVerdict; history: ProbeHistory } {
  const failed = history.failuresInARow >= limits.failuresMax || history.timeoutsInARow >= TIMEOUTS_MAX
  return { verdict: failed ? 'failed' : 'suspect', history }
}
