import type { HostFacts } from './host-facts.ts'
import type { ApiServices } from './services.ts'

/** What every group of routes is given. */
export interface RouteContext {
  readonly services: ApiServices
  readonly facts: HostFacts
  /** Aborts when the API closes: whatever waits then ends. */
  readonly closing: AbortSignal
}
