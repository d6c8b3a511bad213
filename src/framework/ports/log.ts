import type { LogicalHostName } from '../model/names.ts'

/** How much an event matters. `error`: something is not as it should be; `warn`: it may become so; `info`: what happens; `debug`: why, in detail. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** One event of the daemon. */
export interface LogEvent {
  readonly level: LogLevel
  /** One sentence without its full stop, for people: `takes ha1 on`. */
  readonly message: string
  /** The reconfiguration it belongs to; absent when it belongs to none. */
  readonly reconfiguration?: number
  readonly logicalHost?: LogicalHostName
  /** Further facts, for programs: JSON values only. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** Keeps what happened, one line per event. Never throws and never waits: a log that cannot be written must not stop a takeover. */
export interface Log {
  write(event: LogEvent): void
}
