import type { HostCalls } from '../ports/host-calls.ts'
import type { AdmissionDesk } from './admission-desk.ts'
import type { Identify } from './caller.ts'
import type { HostFacts } from './host-facts.ts'
import type { ApiServices } from './services.ts'

/** What every group of routes is given. */
export interface RouteContext {
  readonly services: ApiServices
  readonly facts: HostFacts
  /** Undefined = this clustd lets no machine in. */
  readonly desk: AdmissionDesk | undefined
  /** Asks other hosts; undefined = this clustd asks none. */
  readonly calls: HostCalls | undefined
  /** Tells who asks. */
  readonly identify: Identify
  /** Aborts when the API closes: whatever waits then ends. */
  readonly closing: AbortSignal
}
