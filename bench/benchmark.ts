import type { Figure } from './figure.ts'
import type { Installation } from './installation.ts'

/** What a benchmark is run with. */
export interface BenchContext {
  /** A directory of this run; gone after it. */
  readonly workshop: string
  /** Haven as it is built from the sources as they are now. */
  readonly installation: Installation
  /** Fewer rounds: shows that it works, measures badly. */
  readonly isQuick: boolean
}

/** One thing that is measured. */
export interface Benchmark {
  readonly name: string
  /** A sentence for `--list`. */
  readonly summary: string
  run(context: BenchContext): Promise<readonly Figure[]>
}
