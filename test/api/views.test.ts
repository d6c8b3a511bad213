import { describe, expect, it } from 'vitest'
import { collectDurations, expectHalf, expectPlan, expectStep } from '../../src/framework/api/expected-durations.ts'
import { lastTouching, reachesOf, stateOf } from '../../src/framework/api/reconfiguration-state.ts'
import { viewField } from '../../src/framework/api/views/haget-view.ts'
import { layOutLane } from '../../src/framework/api/views/lane.ts'
import { HAGET_FIELDS } from '../../src/framework/api/wire.ts'
import { isHaError } from '../../src/framework/errors/ha-error.ts'
import { type LogicalHostName, type PhysicalHostName, parseName } from '../../src/framework/model/names.ts'
import type { Reconfiguration } from '../../src/framework/model/reconfiguration.ts'
import type { Action, Half, HalfKind } from '../../src/framework/model/step.ts'
import type { HalfRun, StepRun } from '../../src/framework/model/timeline.ts'
import { alpha, beta, demo, ha1, ha2, web, withMastery } from '../unit/configure/fixture.ts'

const start: Action = { kind: 'method', service: web, method: 'START', program: '/opt/web/start' }
const stop: Action = { kind: 'method', service: web, method: 'STOP', program: '/opt/web/stop' }

function halfOf(
  kind: HalfKind,
  host: PhysicalHostName,
  actions: readonly Action[],
  logicalHost: LogicalHostName = ha1,
): Half {
  const steps = actions.map((action) => ({ action, timeoutMs: 60_000, ifItFails: { kind: 'note' } as const }))
  return { logicalHost, host, kind, steps }
}

function runOf(half: Half, startedWallMs: number, stepsMs: readonly number[], pauseMs = 0): HalfRun {
  let atMs = startedWallMs
  const steps = half.steps.map((step, index): StepRun => {
    atMs += pauseMs
    const durationMs = stepsMs[index] ?? 0
    const run = {
      ...step,
      onLadder: false,
      startedWallMs: atMs,
      durationMs,
      outcome: 'done',
      message: '',
      output: [],
    } as const
    atMs += durationMs
    return run
  })
  const { logicalHost, host, kind } = half
  return {
    reconfiguration: 4,
    logicalHost,
    host,
    incarnation: 1,
    kind,
    startedWallMs,
    durationMs: atMs + pauseMs - startedWallMs,
    outcome: { kind: 'done' },
    steps,
  }
}

const giveUp = halfOf('give-up', alpha, [stop])
const takeOn = halfOf('take-on', beta, [start])

describe('a lane', () => {
  const planned = [giveUp, takeOn]
  const end = { atMs: 100, isRunning: false }

  it('has no gap: what is no step is waiting, and says for what', () => {
    const runs = [runOf(giveUp, 1_005, [30], 1), runOf(takeOn, 1_050, [40], 2)]
    expect(layOutLane({ atWallMs: 1_000, planned, runs, end })).toMatchObject({
      durationMs: 100,
      clockSkewMs: 0,
      spans: [
        { fromMs: 0, durationMs: 5, what: 'alpha sees the plan and begins' },
        { fromMs: 5, durationMs: 1, what: 'alpha goes on to the next step' },
        { fromMs: 6, durationMs: 30, host: 'alpha', step: { sentence: 'STOP web' } },
        { fromMs: 36, durationMs: 1, what: 'alpha ends the give-up' },
        { fromMs: 37, durationMs: 13, what: 'the end of the give-up on alpha is committed, and beta begins' },
        { fromMs: 50, durationMs: 2 },
        { fromMs: 52, durationMs: 40, host: 'beta' },
        { fromMs: 92, durationMs: 2 },
        { fromMs: 94, durationMs: 6, what: 'the end of the take-on on beta is committed' },
      ],
    })
  })

  it('moves a half that seems to begin before the one before it has ended, and says by how much clocks disagree', () => {
    const runs = [runOf(giveUp, 1_000, [30]), runOf(takeOn, 1_010, [40])]
    const lane = layOutLane({ atWallMs: 1_000, planned, runs, end: { atMs: null, isRunning: false } })
    expect(lane).toMatchObject({
      durationMs: 70,
      clockSkewMs: 20,
      spans: [{ fromMs: 0 }, { fromMs: 30, durationMs: 40 }],
    })
  })

  it('says what is under way while it runs', () => {
    const lane = layOutLane({
      atWallMs: 1_000,
      planned,
      runs: [runOf(giveUp, 1_000, [30])],
      end: { atMs: 90, isRunning: true },
    })
    expect(lane.spans.at(-1)).toEqual({
      kind: 'waiting',
      fromMs: 30,
      durationMs: 60,
      what: 'the take-on on beta is under way',
    })
  })

  it('is empty before anything has run', () => {
    expect(layOutLane({ atWallMs: 1_000, planned, runs: [], end: { atMs: null, isRunning: false } })).toEqual({
      durationMs: 0,
      spans: [],
      clockSkewMs: 0,
    })
  })
})

describe('expected durations', () => {
  const durations = collectDurations([10, 30, 20].map((ms) => runOf(takeOn, 0, [ms])))
  const [startStep] = takeOn.steps
  const [stopStep] = giveUp.steps

  it('are the median and the worst of own runs, else of those elsewhere, else unknown', () => {
    expect(startStep && expectStep(durations, beta, startStep)).toEqual({ medianMs: 20, worstMs: 30, samples: 3 })
    expect(startStep && expectStep(durations, alpha, startStep)).toEqual({ medianMs: 20, worstMs: 30, samples: 3 })
    expect(stopStep && expectStep(durations, alpha, stopStep)).toBeNull()
    const own = collectDurations([runOf(takeOn, 0, [10]), runOf(halfOf('take-on', alpha, [start]), 0, [99])])
    expect(startStep && expectStep(own, beta, startStep)).toEqual({ medianMs: 10, worstMs: 10, samples: 1 })
  })

  it('leave out what did not end well', () => {
    const run = runOf(takeOn, 0, [10])
    const failed = { ...run, steps: run.steps.map((step) => ({ ...step, outcome: 'timed-out' as const })) }
    expect(expectHalf(collectDurations([failed]), takeOn)).toBeNull()
  })

  it('add up along a logical host, and run side by side as far as the budget allows', () => {
    const other = halfOf('take-on', beta, [start], ha2)
    const watch = halfOf('watch-start', beta, [start])
    expect(expectPlan(durations, [giveUp, takeOn, watch], 8)).toEqual({ medianMs: 20, worstMs: 30, samples: 3 })
    expect(expectPlan(durations, [takeOn, other], 8)).toMatchObject({ medianMs: 20 })
    expect(expectPlan(durations, [takeOn, other], 1)).toMatchObject({ medianMs: 40, worstMs: 60 })
    expect(expectPlan(durations, [], 8)).toBeNull()
  })
})

describe('how far a reconfiguration is', () => {
  const reconfiguration: Reconfiguration = {
    number: 4,
    cause: { kind: 'switchover', logicalHosts: [ha1], to: beta, by: '' },
    because: [],
    halves: [giveUp, takeOn],
    plannedBy: alpha,
    atWallMs: 0,
  }
  const later = { ...reconfiguration, number: 7 }
  const runs = [runOf(giveUp, 0, [1]), runOf(takeOn, 5, [1])]
  const at = (state: typeof demo, ended: readonly HalfRun[]) => ({
    state,
    reconfiguration,
    runs: ended,
    kept: [reconfiguration, later],
  })

  it('runs, is done, has failed or was superseded', () => {
    const moving = withMastery({ kind: 'takingOn', by: beta, uncleanOn: [] })
    expect(stateOf(at(moving, runs.slice(0, 1)))).toBe('running')
    expect(stateOf(at(demo, runs))).toBe('done')
    const stuck = { kind: 'unproved', leftovers: [] } as const
    expect(stateOf(at(demo, [{ ...runOf(giveUp, 0, [1]), outcome: stuck }]))).toBe('failed')
    const life = demo.states.get(ha1)
    const gone = life && { ...demo, states: new Map(demo.states).set(ha1, { ...life, reconfiguration: 7 }) }
    expect(gone && stateOf(at(gone, runs))).toBe('done')
    expect(gone && [...reachesOf(at(gone, runs.slice(0, 1))).values()]).toEqual([{ kind: 'superseded', by: 7 }])
  })

  it('that is the last one is the last that touched a logical host', () => {
    const leave = { ...reconfiguration, number: 5, halves: [] }
    const watch = { ...reconfiguration, number: 6, halves: [halfOf('watch-start', beta, [start])] }
    expect(lastTouching([reconfiguration, leave, watch])?.number).toBe(4)
    expect(lastTouching([leave, watch])).toBeUndefined()
  })
})

describe('the fields of haget', () => {
  it.each(HAGET_FIELDS)('$name is answered, given what it needs', ({ name, needs }) => {
    const host = needs === 'logical host' ? { host: 'ha1' } : {}
    const network = needs === 'network' ? { network: 'priv1' } : {}
    const query = { field: name, ...host, ...network, ...(needs === 'service' && { service: 'web' }) }
    const priv1 = { name: parseName('network', 'priv1'), role: 'internal', probeTargets: [] } as const
    const facts = { state: demo, networks: [{ network: priv1, state: 'up' as const, interfaces: [] }], me: alpha }
    expect(viewField({ ...facts, query }).field).toBe(name)
    if (needs === 'nothing' || needs === 'physical host') return
    expect(() => viewField({ ...facts, query: { field: name } })).toThrow(
      expect.toSatisfy((error) => isHaError(error, 'USAGE')),
    )
  })
})
