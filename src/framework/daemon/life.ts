import type { LogEvent } from '../ports/log.ts'

/** How the life of a host's daemon ended. */
export type Ending =
  /** It gave everything up and left. */
  | { readonly kind: 'left' }
  /** The others went on without it. */
  | { readonly kind: 'evicted'; readonly why: string }
  /** Its stamp could not be renewed in time. */
  | { readonly kind: 'deadline-passed'; readonly why: string }
  /** It ended itself, for a reason that is not one of membership: a bug, a configured abort, a leave that could not be finished. */
  | { readonly kind: 'failed'; readonly why: string }
  /** It was told to stop in the middle of everything, as in a test. Nothing was given up. */
  | { readonly kind: 'stopped' }

/** One life of a host's daemon: everything that acts listens to its signal, and the first ending counts. */
export class Life {
  readonly #ender = new AbortController()
  readonly #ended: Promise<Ending>
  readonly #end: (ending: Ending) => void
  /** Set while the commit that makes this host leave is under way: being no member is then what was wanted. */
  isDeparting = false

  constructor() {
    let settle: (ending: Ending) => void = () => undefined
    this.#ended = new Promise((resolve) => {
      settle = resolve
    })
    this.#end = settle
  }

  /** Aborts when the life ends. */
  get signal(): AbortSignal {
    return this.#ender.signal
  }

  get ended(): Promise<Ending> {
    return this.#ended
  }

  /** Ends the life; false when it had ended already. */
  end(ending: Ending): boolean {
    if (this.#ender.signal.aborted) return false
    this.#ender.abort(describeEnding(ending))
    this.#end(ending)
    return true
  }
}

/** Says in one sentence how a life ended. */
export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'left':
      return 'this host has left the cluster'
    case 'evicted':
      return `this host is no longer a member: ${ending.why}`
    case 'deadline-passed':
      return `this host may no longer act: ${ending.why}`
    case 'failed':
      return `this host stops: ${ending.why}`
    case 'stopped':
      return 'this daemon was stopped'
  }
}

/** Whether what the host holds has to be stopped at once. */
export function mustFire(ending: Ending): boolean {
  return ending.kind === 'evicted' || ending.kind === 'deadline-passed' || ending.kind === 'failed'
}

/** The log line of an ending. */
export function logOfEnding(ending: Ending): LogEvent {
  return { level: mustFire(ending) ? 'error' : 'info', message: describeEnding(ending) }
}
