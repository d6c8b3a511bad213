import type { PhysicalHostName } from '../model/names.ts'

/** One question to another host. */
export interface HostCall {
  readonly method: 'GET' | 'POST'
  /** With its query. */
  readonly path: string
  readonly body?: object
  /** Gives up after so long, connecting and everything else included. */
  readonly withinMs: number
}

/**
 * Asks the clustd of other hosts, over connections on which both sides have proved who they are.
 *
 * Promises: an answer comes from the named host; each call ends in time. A call that fails may have been carried out.
 */
export interface HostCalls {
  /** Returns the parsed answer. Throws what the other clustd answers, or `HOST_UNREACHABLE`. */
  call(host: PhysicalHostName, question: HostCall): Promise<unknown>
  /** Tells whether a host can be asked at all: it has certificates, and so has this one. */
  canAsk(host: PhysicalHostName): boolean
  close(): void
}
