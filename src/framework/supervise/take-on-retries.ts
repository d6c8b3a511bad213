/** A try that failed. */
export interface FailedTry {
  /** Wall clock of the last one. */
  readonly atWallMs: number
  /** How many failed in a row, at least 1. */
  readonly tries: number
}

/** What makes a take-on fail (an address that somebody still has, a disk that does not answer yet) is often gone a moment later. */
const FIRST_PAUSE_MS = 10_000
/** Each pause is twice as long as the one before it, so these are over after five minutes: what lasts longer needs an operator. */
const TRIES_MAX = 6

/** Whether Haven may try again by itself. `nowWallMs`: a clock that was set back makes the pause longer, never endless. */
export function mayTryAgain({ atWallMs, tries }: FailedTry, nowWallMs: number): boolean {
  return tries < TRIES_MAX && Math.abs(nowWallMs - atWallMs) >= FIRST_PAUSE_MS * 2 ** (tries - 1)
}

/** Whether the tries are used up: only an operator, or a host that joins anew, brings the next one. */
export function isUsedUp({ tries }: FailedTry): boolean {
  return tries >= TRIES_MAX
}
