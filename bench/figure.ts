/** Several measurements of one thing; how many they were tells how much the extremes mean. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

/** What one benchmark found out about one thing. */
export interface Figure {
  readonly name: string
  readonly unit: 'ms' | 'per second' | '% of a core' | 'MB'
  readonly measured: Spread
  /** What it is to be judged by, measured in the same run under the same load. */
  readonly reference?: { readonly name: string; readonly measured: Spread }
  /** What we want: the value itself, or its ratio to the reference, below `below`. */
  readonly target?: { readonly of: 'value' | 'ratio'; readonly below: number }
  /** Further sentences: where the time went. */
  readonly details: readonly string[]
}

/** Sums measurements up. There is at least one. */
export function spreadOf(measurements: readonly number[]): Spread {
  const sorted = measurements.toSorted((one, other) => one - other)
  const at = (index: number): number => sorted[Math.min(Math.max(index, 0), sorted.length - 1)] ?? Number.NaN
  const middle = sorted.length / 2
  const median = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle))
  return { median, min: at(0), max: at(sorted.length - 1), count: sorted.length }
}

/** How many times the reference it is, by the medians; undefined without a reference. */
export function ratioOf({ measured, reference }: Figure): number | undefined {
  return reference === undefined ? undefined : measured.median / reference.measured.median
}

/** Whether the target was met by the median; undefined when there is none. */
export function isMet(figure: Figure): boolean | undefined {
  const { target, measured } = figure
  if (target === undefined) return undefined
  const value = target.of === 'ratio' ? ratioOf(figure) : measured.median
  return value !== undefined && value < target.below
}
