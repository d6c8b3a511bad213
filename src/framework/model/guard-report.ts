/** What the guard did when a deadline passed, or what a new life did about the remains of the former one. For people. */
export interface GuardReport {
  readonly firedWallMs: number
  /** One sentence: why. */
  readonly why: string
  readonly tookMs: number
  /** One line for each thing that was stopped, in order. */
  readonly stopped: readonly string[]
  /** What would not go, with its remedy; empty when all was released provably. */
  readonly leftovers: readonly string[]
}
