/** What is looked for in which file of which processes. */
export interface ProcQuestion {
  /** `environ`: variables, each ended by NUL. `maps`: lines. */
  readonly file: 'environ' | 'maps'
  readonly pids: readonly number[]
  /** An entry (a variable, a line) that holds one of these is found. */
  readonly texts: readonly string[]
  /**
   * Told, before the search resolves, which processes could not be read: they hang in the kernel, as on a disk that does not answer, in a way that hides
   * their memory. Nothing is known of them, and all of the others. Absent: the search rejects then.
   */
  readonly onHung?: (pids: readonly number[]) => void
}

/**
 * Finds entries by pid; a process without any is left out, and so is one that has ended or that this user may not look into. What was there before the
 * question is found. Rejects with a plain error when it could not look, after some seconds at the latest: nothing is known then.
 *
 * Processes that hang cost it half a second, however many there are.
 */
export type ProcSearch = (question: ProcQuestion) => Promise<ReadonlyMap<number, readonly string[]>>
