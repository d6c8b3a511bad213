import type { VoterTuning } from '../ports/voters.ts'

/** Below this a scheduler under load, a slow disk or a slow network make elections that nobody needs. */
const ELECTION_MS_MIN = 200
/** What etcd itself comes with: for a guard that has time. */
const ELECTION_MS_MAX = 1000
/** Heartbeats within one election timeout: etcd asks for five at least. */
const HEARTBEATS_PER_ELECTION = 10
/** Elections wait between one and two timeouts; with the vote itself that is this many in the middle (measured). */
const RECOVERY_PER_ELECTION = 1.3

/** How an etcd is tuned whose voters nobody has told anything. */
export const DEFAULT_TUNING: VoterTuning = { heartbeatMs: 50, electionMs: 500 }

/** Tunes the voters for a guard: three elections fit into it. 50/500 for `default`, 20/200 for `fast`, 100/1000 for `relaxed`. */
export function tuningForGuard(guardMs: number): VoterTuning {
  const electionMs = Math.min(ELECTION_MS_MAX, Math.max(ELECTION_MS_MIN, Math.round(guardMs / 3)))
  return { heartbeatMs: Math.round(electionMs / HEARTBEATS_PER_ELECTION), electionMs }
}

/** How long etcd takes, in the middle, until it serves again after its leader was lost; milliseconds. */
export function recoveryMs({ electionMs }: VoterTuning): number {
  return Math.round(electionMs * RECOVERY_PER_ELECTION)
}

/** Says what is wrong with a guard for an etcd tuned like that; empty = nothing. */
export function guardProblem(guardMs: number, tuning: VoterTuning): string {
  const neededMs = 2 * recoveryMs(tuning)
  if (guardMs >= neededMs) return ''
  return (
    `guardMs is ${guardMs}, and etcd takes about ${recoveryMs(tuning)} ms to serve again after its leader was lost: ` +
    `hosts may be stopped by that alone. Set guardMs to ${neededMs} at least, or give etcd a shorter election timeout.`
  )
}
