import type { FollowEvent } from '../../framework/api/wire.ts'

/** Shows a reconfiguration while it goes on. */
export interface FollowView {
  show(event: FollowEvent): void
  /** Takes away what is shown of the moment; the lines stay. */
  close(): void
}
