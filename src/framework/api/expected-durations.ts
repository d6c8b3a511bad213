import type { PhysicalHostName } from '../model/names.ts'
import type { Half, Step } from '../model/step.ts'
import type { HalfRun } from '../model/timeline.ts'
import { describeAction } from '../plan/describe.ts'
import type { ExpectedJson } from './wire.ts'

/** How long each kind of step took in former runs; made once for each plan that is shown. */
export interface Durations {
  /** Sorted milliseconds of the runs that ended well, by what was done, and by what was done where. */
  readonly byAction: ReadonlyMap<string, readonly number[]>
}

/** Runs of one kind of step that are looked at: the latest ones say most. */
const SAMPLES_MAX = 50

/** Collects the durations of all steps that ended well. `runs`: newest last. */
export function collectDurations(runs: readonly HalfRun[]): Durations {
  const byAction = new Map<string, number[]>()
  for (const run of runs.toReversed()) {
    for (const step of run.steps) {
      if (step.outcome !== 'done') continue
      const what = describeAction(step.action)
      for (const key of [what, keyOf(what, run.host)]) {
        const samples = byAction.get(key) ?? []
        if (samples.length < SAMPLES_MAX) samples.push(step.durationMs)
        byAction.set(key, samples)
      }
    }
  }
  for (const samples of byAction.values()) samples.sort((a, b) => a - b)
  return { byAction }
}

/** Tells how long a step may be expected to take on a host: from its own runs there, else from those on other hosts; null = it has never run. */
export function expectStep(durations: Durations, host: PhysicalHostName, step: Step): ExpectedJson | null {
  const what = describeAction(step.action)
  const samples = durations.byAction.get(keyOf(what, host)) ?? durations.byAction.get(what)
  if (samples === undefined) return null
  const middle = Math.floor((samples.length - 1) / 2)
  return { medianMs: samples[middle] ?? 0, worstMs: samples.at(-1) ?? 0, samples: samples.length }
}

/** Tells how long a half may be expected to take: the sum of its steps; null = none of them has ever run. */
export function expectHalf(durations: Durations, half: Half): ExpectedJson | null {
  return sum(half.steps.map((step) => expectStep(durations, half.host, step)))
}

/**
 * Tells how long a plan may be expected to take: the halves of one logical host come one after the other, those of different ones side by
 * side, but only `parallelMovesMax` at a time on each host. Fault monitors are waited for by nobody. Null = no history.
 */
export function expectPlan(
  durations: Durations,
  halves: readonly Half[],
  parallelMovesMax: number,
): ExpectedJson | null {
  const waited = halves.filter(isWaitedFor)
  const expected = new Map(waited.map((half) => [half, expectHalf(durations, half)]))
  const lanes = [...groupBy(waited, (half) => half.logicalHost).values()].map((lane) =>
    sum(lane.map((half) => expected.get(half) ?? null)),
  )
  const hosts = [...groupBy(waited, (half) => half.host).values()].map((own) =>
    share(sum(own.map((half) => expected.get(half) ?? null)), Math.min(parallelMovesMax, own.length)),
  )
  return longest([...lanes, ...hosts])
}

/** Tells whether a reconfiguration is done only when this half is. */
export function isWaitedFor(half: Pick<Half, 'kind'>): boolean {
  return half.kind !== 'watch-start' && half.kind !== 'watch-stop'
}

/** Groups values by a key, in the order in which the keys come. */
export function groupBy<Value, Key>(
  values: readonly Value[],
  key: (value: Value) => Key,
): ReadonlyMap<Key, readonly Value[]> {
  const groups = new Map<Key, Value[]>()
  for (const value of values) {
    const group = groups.get(key(value))
    if (group === undefined) groups.set(key(value), [value])
    else group.push(value)
  }
  return groups
}

function keyOf(what: string, host: PhysicalHostName): string {
  return `${host}: ${what}`
}

function sum(parts: readonly (ExpectedJson | null)[]): ExpectedJson | null {
  const known = parts.filter((part) => part !== null)
  if (known.length === 0) return null
  return {
    medianMs: known.reduce((total, part) => total + part.medianMs, 0),
    worstMs: known.reduce((total, part) => total + part.worstMs, 0),
    samples: Math.min(...known.map((part) => part.samples)),
  }
}

function share(total: ExpectedJson | null, among: number): ExpectedJson | null {
  return total === null ? null : { ...total, medianMs: total.medianMs / among, worstMs: total.worstMs / among }
}

function longest(parts: readonly (ExpectedJson | null)[]): ExpectedJson | null {
  const known = parts.filter((part) => part !== null)
  if (known.length === 0) return null
  return {
    medianMs: Math.max(...known.map((part) => part.medianMs)),
    worstMs: Math.max(...known.map((part) => part.worstMs)),
    samples: Math.min(...known.map((part) => part.samples)),
  }
}
