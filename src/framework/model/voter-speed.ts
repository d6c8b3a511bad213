/** How quick a voter of the cluster database is, as the machine sees it that asks. */
export interface VoterSpeed {
  /** Milliseconds that a question takes which it answers from memory; the better one of two. */
  readonly roundTripMs: number
  /** Writes to its disk that it waited for, in this life of it, and how long they took together. */
  readonly syncs: { readonly count: number; readonly totalMs: number }
}
