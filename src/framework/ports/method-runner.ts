import type { MethodName } from '../model/cluster-config.ts'
import type { DataServiceName, LogicalHostName } from '../model/names.ts'
import type { Leftover } from '../model/step.ts'

/** One call of a method, complete. */
export interface MethodCall {
  readonly service: DataServiceName
  readonly method: MethodName
  /** Absolute path of the executable. */
  readonly program: string
  readonly logicalHost: LogicalHostName
  /** argv[1], argv[2]: comma-separated logical hosts, possibly empty. argv[3] is made from `timeoutMs`. */
  readonly lists: readonly [string, string]
  readonly timeoutMs: number
  /** For the environment: number of the reconfiguration, generation of the logical host, administrative file system. */
  readonly reconfiguration: number
  readonly generation: number
  readonly pathPrefix: string
  /** Aborts when the host may no longer act or the daemon gives the run up: the run is then ended like one that timed out. */
  readonly signal: AbortSignal
}

/** The four endings of a method. `output`: the last lines it printed, already bounded. */
export type MethodOutcome =
  | { readonly kind: 'succeeded'; readonly durationMs: number; readonly output: readonly string[] }
  | {
      readonly kind: 'failed'
      readonly exitCode: number
      readonly durationMs: number
      readonly output: readonly string[]
    }
  /** Ended by a signal that Haven did not send. */
  | {
      readonly kind: 'killed'
      readonly signal: string
      readonly durationMs: number
      readonly output: readonly string[]
    }
  /** Not done in time (or given up): TERM, and `forced` if it needed KILL. */
  | {
      readonly kind: 'timed-out'
      readonly afterMs: number
      readonly forced: boolean
      readonly output: readonly string[]
    }

/** Which processes are meant: those of one service on one logical host, or of all its services. */
export interface ProcessScope {
  readonly logicalHost: LogicalHostName
  readonly service: DataServiceName | 'all'
}

/**
 * Runs methods and knows the processes they left behind. One instance per physical host; the knowledge lives in the system (cgroup, environment
 * tag), not in the instance, so that a restarted daemon and the guard see the same.
 */
export interface MethodRunner {
  /**
   * Runs a method to one of its four endings. Rejects with `METHOD_FAILED` only when the program could not be started at all (missing, not executable).
   * Resolves when the method itself has ended, even if a daemon it started lives on.
   */
  run(call: MethodCall): Promise<MethodOutcome>
  /** Sends TERM, waits up to `graceMs`, then KILL to every process of the scope; resolves with what would not die. Nothing there: success. */
  endProcesses(
    scope: ProcessScope,
    options: { readonly graceMs: number; readonly signal: AbortSignal },
  ): Promise<readonly Leftover[]>
  /** Lists living processes of the scope; empty = none. */
  processes(scope: ProcessScope): Promise<readonly Leftover[]>
}
