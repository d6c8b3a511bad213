/** One voter of the etcd that Haven runs, as it is seen now. */
export interface VoterJson {
  readonly name: string
  /** Client endpoint at which it answered, else the first one; empty while the voter has never started. */
  readonly endpoint: string
  /** All of its client endpoints, one for each of its addresses. */
  readonly endpoints: readonly string[]
  /** Those of them at which it did not answer, although it did at another one. */
  readonly silent: readonly string[]
  /** Where the other voters speak to it. */
  readonly peerUrls: readonly string[]
  /** `learner`: follows and does not count yet. `joining`: was admitted and has not started. */
  readonly role: 'leader' | 'follower' | 'learner' | 'joining'
  readonly isHealthy: boolean
  /** What is wrong with it; empty = nothing. */
  readonly complaint: string
  /** Entries of the log that it is behind the leader; null = it did not answer. */
  readonly lag: number | null
  /** Bytes of its database on disk; null = it did not answer. */
  readonly sizeBytes: number | null
  readonly version: string
}

/** Answer of `scadmin voters`. */
export interface VotersJson {
  readonly cluster: string
  /** By name. */
  readonly voters: readonly VoterJson[]
  /** What the operator should know, one sentence each; empty = all is well. */
  readonly warnings: readonly string[]
  /** The voter of this machine as its supervisor sees it; null = it has none. */
  readonly own: OwnVoterJson | null
}

/** How the voter of this machine is. */
export interface OwnVoterJson {
  readonly name: string
  readonly phase: 'starting' | 'learning' | 'running' | 'failing' | 'removed' | 'stopped'
  /** What is wrong, and what to do about it; empty = nothing. */
  readonly complaint: string
  readonly remedy: string
  /** Whether a supervisor runs on this machine. */
  readonly isSupervised: boolean
  /** Milliseconds of its heartbeat and its election timeout. */
  readonly heartbeatMs: number
  readonly electionMs: number
}
