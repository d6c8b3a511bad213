import { describe, expect, it } from 'vitest'
import { HaError } from '../../../src/framework/errors/ha-error.ts'
import { executeHalf, type HalfContext, STEP_GRACE_MS } from '../../../src/framework/execute/execute-half.ts'
import type { HandsOutcome } from '../../../src/framework/execute/hands.ts'
import { Served } from '../../../src/framework/execute/served.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import type { Action, Half, Step } from '../../../src/framework/model/step.ts'
import type { HalfRun, Progress } from '../../../src/framework/model/timeline.ts'
import { VirtualClock } from '../daemon/virtual-clock.ts'
import { handsBy } from './hands-by.ts'
import { smallState } from './small-state.ts'

const state = smallState()
const service = parseName('dataService', 'web')
const logicalHost = parseName('logicalHost', 'ha1')
const host = parseName('physicalHost', 'alpha')

const method = (name: 'START' | 'STOP' | 'ABORT', ifItFails: Step['ifItFails']): Step => ({
  action: { kind: 'method', service, method: name, program: '/m' },
  timeoutMs: 1_000,
  ifItFails,
})
const endProcesses: Step = {
  action: { kind: 'end-processes', service },
  timeoutMs: 1_000,
  ifItFails: { kind: 'note' },
}
const prove: Step = {
  action: { kind: 'prove-released', diskGroups: [], addresses: [] },
  timeoutMs: 1_000,
  ifItFails: { kind: 'end-half' },
}

type Answer = (action: Action, signal: AbortSignal) => HandsOutcome | Promise<HandsOutcome> | undefined

/** Runs a half with hands that succeed in 1 ms unless `answer` says otherwise. */
async function run(
  kind: Half['kind'],
  steps: readonly Step[],
  answer: Answer = () => undefined,
  change: Partial<HalfContext> = {},
): Promise<{ run: HalfRun; tookMs: number; progress: Progress[] }> {
  const clock = new VirtualClock()
  const act = async (action: Action, { signal }: { signal: AbortSignal }): Promise<HandsOutcome> => {
    const answered = answer(action, signal)
    if (answered !== undefined) return await answered
    await clock.effects().sleep(1, signal)
    return { kind: 'done', output: [] }
  }
  const hands = handsBy(act)
  const progress: Progress[] = []
  const context: HalfContext = {
    effects: clock.effects(),
    incarnation: 1,
    served: new Served(state, host),
    permit: async () => ({ kind: 'allowed' }),
    state: () => state,
    diskGroup: () => undefined,
    lock: async () => () => undefined,
    onProgress: (made) => progress.push(made),
    signal: new AbortController().signal,
    ...change,
  }
  let ended: HalfRun | undefined
  void executeHalf(
    { reconfiguration: 7, generation: 3, half: { logicalHost, host, kind, steps } },
    hands,
    context,
  ).then((made) => {
    ended = made
  })
  const tookMs = await clock.passUntil('the half to end', 100_000, () => ended !== undefined)
  if (ended === undefined) throw new Error('unreachable')
  return { run: ended, tookMs, progress }
}

const outcomes = ({ steps }: HalfRun): string[] =>
  steps.map(({ action, outcome, onLadder }) => `${onLadder ? 'ladder ' : ''}${nameOf(action)} ${outcome}`)

function nameOf(action: Action): string {
  return action.kind === 'method' ? action.method : action.kind
}

const failed = (message: string): HandsOutcome => ({ kind: 'failed', message, output: [], leftovers: [] })
const isMethod = (action: Action, name: string): boolean => action.kind === 'method' && action.method === name
const never = (): Promise<never> => new Promise(() => undefined)

describe('executing a half', () => {
  it('runs the steps in order, and is done', async () => {
    const { run: made } = await run('give-up', [method('STOP', { kind: 'note' }), prove])
    expect(made.outcome).toEqual({ kind: 'done' })
    expect(outcomes(made)).toEqual(['STOP done', 'prove-released done'])
  })

  it('notes a failure and goes on', async () => {
    const { run: made } = await run('give-up', [method('STOP', { kind: 'note' }), prove], (action) =>
      isMethod(action, 'STOP') ? failed('exit code 3') : undefined,
    )
    expect(made.outcome).toEqual({ kind: 'done' })
    expect(made.steps[0]?.message).toBe('exit code 3')
  })

  it('ends the half at a failure that says so, and writes down what was skipped', async () => {
    const steps = [method('START', { kind: 'end-half' }), endProcesses]
    const { run: made } = await run('take-on', steps, (action) =>
      isMethod(action, 'START') ? failed('exit code 1') : undefined,
    )
    expect(made.outcome).toEqual({ kind: 'failed', failedStep: 0, message: 'exit code 1' })
    expect(outcomes(made)).toEqual(['START failed', 'end-processes skipped'])
  })

  it('climbs the ladder, whose own failures are noted, and goes on behind the step', async () => {
    const ladder = { kind: 'ladder', steps: [method('ABORT', { kind: 'note' }), endProcesses] } as const
    const { run: made } = await run('give-up', [method('STOP', ladder), prove], (action) =>
      action.kind === 'method' ? failed('no') : undefined,
    )
    expect(made.outcome).toEqual({ kind: 'done' })
    expect(outcomes(made)).toEqual([
      'STOP failed',
      'ladder ABORT failed',
      'ladder end-processes done',
      'prove-released done',
    ])
  })

  it('ends a step whose time is up, and counts it as failed', async () => {
    const { run: made, tookMs } = await run('give-up', [method('STOP', { kind: 'note' }), prove], (action, signal) =>
      isMethod(action, 'STOP') ? whenAborted(signal) : undefined,
    )
    expect(outcomes(made)).toEqual(['STOP timed-out', 'prove-released done'])
    expect(tookMs).toBeLessThan(1_010)
  })

  it('leaves a driver behind that does not end when it is told to', async () => {
    const { run: made, tookMs } = await run('give-up', [method('STOP', { kind: 'note' }), prove], (action) =>
      isMethod(action, 'STOP') ? never() : undefined,
    )
    expect(outcomes(made)).toEqual(['STOP timed-out', 'prove-released done'])
    expect(tookMs).toBeGreaterThanOrEqual(1_000 + STEP_GRACE_MS)
  })

  it('counts an error as a failure, with its code', async () => {
    const { run: made } = await run('take-on', [method('START', { kind: 'end-half' })], () => {
      throw new HaError('METHOD_FAILED', 'there is no /m')
    })
    expect(made.outcome).toMatchObject({ kind: 'failed', message: 'METHOD_FAILED: there is no /m' })
  })

  it('takes a proof that fails for what it is: leftovers', async () => {
    const leftovers = [{ kind: 'process', what: 'process 1', remedy: 'kill 1' }] as const
    const { run: made } = await run('give-up', [prove], () => ({ kind: 'failed', message: '', output: [], leftovers }))
    expect(made.outcome).toEqual({ kind: 'unproved', leftovers })
  })

  it('takes a proof that could not be made for no proof', async () => {
    const { run: made } = await run('give-up', [prove], (_action, signal) => whenAborted(signal))
    expect(made.outcome.kind).toBe('unproved')
    expect(made.outcome.kind === 'unproved' && made.outcome.leftovers).toHaveLength(1)
  })

  it('does nothing when it is forbidden, and says why', async () => {
    let asked = 0
    const permit: HalfContext['permit'] = async () => {
      asked += 1
      return asked > 1 ? { kind: 'forbidden', message: 'the deadline has passed' } : { kind: 'allowed' }
    }
    const { run: made } = await run('give-up', [endProcesses, endProcesses, prove], () => undefined, { permit })
    expect(made.outcome).toEqual({ kind: 'forbidden', message: 'the deadline has passed' })
    expect(outcomes(made)).toEqual(['end-processes done', 'end-processes skipped', 'prove-released skipped'])
  })

  it('shows a step that takes long, and only that', async () => {
    const { progress } = await run('give-up', [endProcesses, method('STOP', { kind: 'note' })], (action, signal) =>
      isMethod(action, 'STOP') ? whenAborted(signal) : undefined,
    )
    expect(progress.map(({ step, steps }) => `${step} of ${steps}`)).toEqual(['1 of 2'])
  })

  it('keeps only the end of what a method printed', async () => {
    const output = Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(1_000)}`)
    const { run: made } = await run('take-on', [method('START', { kind: 'end-half' })], () => ({
      kind: 'done',
      output,
    }))
    expect(made.steps[0]?.output).toHaveLength(10)
    expect(made.steps[0]?.output.at(-1)).toHaveLength(200)
  })
})

function whenAborted(signal: AbortSignal): Promise<HandsOutcome> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('told to end'))))
}
