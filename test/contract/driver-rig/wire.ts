import type { ErrorJson } from '../../../src/framework/errors/ha-error.ts'

/** What the drivers of a host process are made of. */
export interface HostSettings {
  readonly cluster: string
  readonly physicalHost: string
  readonly root: string
  readonly scope: string
  readonly termGraceMs: number
  readonly announceAgainAfterMs: readonly number[]
}

export type Request =
  | {
      readonly kind: 'call'
      readonly id: number
      readonly driver: string
      readonly method: string
      readonly words: readonly unknown[]
      /** Whether its signal has aborted before it begins. */
      readonly isAborted: boolean
    }
  | { readonly kind: 'abort'; readonly id: number }

export type Answer =
  | { readonly id: number; readonly kind: 'value'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'error'; readonly error: ErrorJson | null; readonly text: string }
