import type { Half } from '../../model/step.ts'
import type { HalfRun } from '../../model/timeline.ts'
import type { LaneJson, SpanJson } from '../wire.ts'
import { viewEndedHalf } from './half-view.ts'

/** The halves of one logical host that are waited for. Times are milliseconds after the commit of the plan. */
export interface LaneFacts {
  readonly atWallMs: number
  /** In the order in which they run. */
  readonly planned: readonly Half[]
  readonly runs: readonly HalfRun[]
  readonly end: LaneEnd
}

/** Where a lane ends; null = with its last half. */
export interface LaneEnd {
  readonly atMs: number | null
  readonly isRunning: boolean
}

/**
 * Lays the halves of one logical host out on one line of time that begins with the commit of the plan and has no gap: what is not a step is
 * waiting, and says for what. Each host's times come from its own wall clock; where a half seems to begin before the one before it has
 * ended, it is moved to that end, and the greatest such move is returned as the disagreement of the clocks.
 */
export function layOutLane(facts: LaneFacts): Pick<LaneJson, 'durationMs' | 'spans' | 'clockSkewMs'> {
  const line = new Line()
  let last: HalfRun | undefined
  for (const half of facts.planned) {
    const run = facts.runs.find((one) => one.host === half.host && one.kind === half.kind)
    if (run === undefined) break
    layOutRun(line, run, facts.atWallMs, last)
    last = run
  }
  layOutEnd(line, facts, last)
  return { durationMs: line.cursorMs, spans: line.spans, clockSkewMs: line.clockSkewMs }
}

function layOutRun(line: Line, run: HalfRun, atWallMs: number, before: HalfRun | undefined): void {
  const what =
    before === undefined
      ? `${run.host} sees the plan and begins`
      : `the end of the ${before.kind} on ${before.host} is committed, and ${run.host} begins`
  const begunMs = run.startedWallMs - atWallMs
  const shiftMs = line.begin(begunMs, what)
  for (const step of viewEndedHalf(run, atWallMs).steps) {
    if (step.startedAfterMs === null || step.durationMs === null) continue
    line.waitUntil(step.startedAfterMs + shiftMs, `${run.host} goes on to the next step`)
    line.add({
      kind: 'step',
      fromMs: line.cursorMs,
      durationMs: step.durationMs,
      host: run.host,
      half: run.kind,
      step,
    })
  }
  line.waitUntil(begunMs + shiftMs + run.durationMs, `${run.host} ends the ${run.kind}`)
}

function layOutEnd(line: Line, { planned, runs, end }: LaneFacts, last: HalfRun | undefined): void {
  if (end.atMs === null) return
  const next = planned[runs.length]
  const committed =
    last === undefined ? 'the plan takes effect' : `the end of the ${last.kind} on ${last.host} is committed`
  const what = end.isRunning && next !== undefined ? `the ${next.kind} on ${next.host} is under way` : committed
  line.waitUntil(end.atMs, what)
}

class Line {
  readonly spans: SpanJson[] = []
  cursorMs = 0
  clockSkewMs = 0

  /** Waits for the beginning of a half; returns by how much its times have to be moved. */
  begin(atMs: number, what: string): number {
    const shiftMs = Math.max(0, this.cursorMs - atMs)
    this.clockSkewMs = Math.max(this.clockSkewMs, shiftMs)
    this.waitUntil(atMs, what)
    return shiftMs
  }

  waitUntil(atMs: number, what: string): void {
    const durationMs = atMs - this.cursorMs
    if (durationMs > 0) this.add({ kind: 'waiting', fromMs: this.cursorMs, durationMs, what })
  }

  add(span: SpanJson): void {
    this.spans.push(span)
    this.cursorMs = span.fromMs + span.durationMs
  }
}
