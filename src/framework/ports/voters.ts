import type { VoterSpeed } from '../model/voter-speed.ts'

/** How often an etcd that Haven runs says that it leads, and after how much silence another one wants to lead. Milliseconds. */
export interface VoterTuning {
  readonly heartbeatMs: number
  readonly electionMs: number
}

/** Who asks to vote. */
export interface VoterCandidate {
  /** The name of its physical host, or of its witness. */
  readonly name: string
  /** Its own IP addresses (v4 or v6, without brackets), at which the others reach it; one at least, one in each private network at best. */
  readonly addresses: readonly string[]
}

/** All that a new voter needs to start; plain JSON, it travels in the answer to a join. Holds no secret. */
export interface VoterAdmission {
  readonly cluster: string
  readonly name: string
  readonly addresses: readonly string[]
  readonly clientPort: number
  readonly peerPort: number
  /** Where the other voters speak to it, one for each address: `https://10.0.0.2:7413`. */
  readonly peerUrls: readonly string[]
  /** All voters with their peer URLs, itself included, as etcd's `--initial-cluster` takes it. */
  readonly initialCluster: string
  /** Tells the voters of one cluster from those of another: etcd's `--initial-cluster-token`. */
  readonly token: string
  /** Client endpoints of all voters, its own included: what goes into the host's own file as the place of the database. */
  readonly endpoints: readonly string[]
  readonly isTls: boolean
  readonly tuning: VoterTuning
}

/** What a voter is: `learner` follows and does not count yet; `joining` was admitted and has not started. */
export type VoterRole = 'leader' | 'follower' | 'learner' | 'joining'

/** One voter as it is seen now. */
export interface VoterStatus {
  readonly name: string
  /** Client endpoint at which it answered, else the first one, `https://10.0.0.2:7412`; empty while it has not said any (it never started). */
  readonly endpoint: string
  /** All of its client endpoints, one for each address. */
  readonly endpoints: readonly string[]
  /** Those of them at which it did not answer, although it did at another one. */
  readonly silent: readonly string[]
  readonly peerUrls: readonly string[]
  readonly role: VoterRole
  /** Whether it answered, in time, and knows a leader. */
  readonly isHealthy: boolean
  /** What is wrong with it, a sentence; empty = nothing. */
  readonly complaint: string
  /** Entries of the log that it is behind the leader; null = it did not answer. */
  readonly lag: number | null
  /** Bytes of its database on disk; null = it did not answer. */
  readonly sizeBytes: number | null
  /** Such as `3.4.23`; empty = it did not answer. */
  readonly version: string
}

/** Adds and removes voters of the etcd that Haven runs. Each call is bounded: at most some seconds. */
export interface Voters {
  /**
   * Lets a machine take part: first as a learner, which changes no majority; its own supervisor has it promoted once it has caught up. A voter of that
   * name which is gone is replaced; repeating it before the voter has started gives the same admission anew.
   * Throws `ALREADY_EXISTS` (a voter of that name lives), `VOTERS_UNSAFE` (one is being added already, or a majority would be at risk), `LIMIT_REACHED`, `DATABASE_UNAVAILABLE`.
   */
  admit(candidate: VoterCandidate): Promise<VoterAdmission>
  /**
   * Takes a voter out; one that leads hands the lead over first. Not there: nothing happens.
   * Throws `VOTERS_UNSAFE` when the rest would be no majority of healthy voters, or nobody would be left; `DATABASE_UNAVAILABLE`.
   */
  remove(name: string): Promise<void>
  /** Lists all voters, by name. Those that do not answer are in it. Throws `DATABASE_UNAVAILABLE` when none answers. */
  list(): Promise<readonly VoterStatus[]>
  /** Measures voters; whoever does not answer is left out. Throws `DATABASE_UNAVAILABLE` when none answers. */
  measure(names: readonly string[]): Promise<ReadonlyMap<string, VoterSpeed>>
  /** Hands the lead over to a follower; commits stand still for the moment it takes. Throws `NOT_FOUND`, `VOTERS_UNSAFE` (etcd refuses), `DATABASE_UNAVAILABLE`. */
  lead(name: string): Promise<void>
}
