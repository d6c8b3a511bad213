import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LogicalHostName, parseName } from '../../src/framework/model/names.ts'
import type { MethodCall, MethodOutcome, MethodRunner, ProcessScope } from '../../src/framework/ports/method-runner.ts'
import { eventually } from '../eventually.ts'

/** What the programs of the contract do. */
export type Behaviour =
  | { readonly kind: 'exits'; readonly exitCode: number; readonly prints?: readonly string[] }
  | { readonly kind: 'kills-itself'; readonly signal: 'SIGSEGV' | 'SIGKILL' | 'SIGTERM' }
  | { readonly kind: 'hangs'; readonly ignoresTerm: boolean }
  /** Starts one daemon in a session of its own and exits 0. */
  | { readonly kind: 'leaves-daemon'; readonly ignoresTerm: boolean }

/** A method runner under test, and what surrounds it. */
export interface MethodRunnerHarness {
  readonly runner: MethodRunner
  /** Makes another instance for the same physical host, as a restarted daemon does. */
  makeAnother(): MethodRunner
  /** Makes another instance for the same physical host that sends KILL soon after TERM; the others wait for longer than a test does. */
  makeImpatient(): MethodRunner
  /** Makes the instance of another physical host on the same machine. */
  makeOtherHost(): MethodRunner
  /** Makes a program that behaves so; returns its path. */
  makeProgram(behaviour: Behaviour): Promise<string>
  /** Resolves when a program made above has begun to hang. */
  awaitHanging(): Promise<void>
  close(): Promise<void>
}

/** Service and logical host of every call that does not say otherwise. */
export const pgdata = parseName('dataService', 'pgdata')
/** Another service on the same logical host. */
export const web = parseName('dataService', 'web')
/** The logical host of every call that does not say otherwise. */
export const ha1 = parseName('logicalHost', 'ha1')
/** Another logical host; its name begins like the other's. */
export const ha11 = parseName('logicalHost', 'ha11')

/** Ends TERM-ignorers at once, and so keeps the tests short. */
export const briefly = { graceMs: 50, signal: new AbortController().signal }
/** More than a busy machine needs for a process to follow TERM. */
export const patiently = { graceMs: 30_000, signal: new AbortController().signal }

/** Makes a complete call out of what matters to a test. */
export function makeCall(program: string, rest: Partial<MethodCall> = {}): MethodCall {
  return {
    service: pgdata,
    method: 'START',
    program,
    logicalHost: ha1,
    lists: ['ha1', ''],
    timeoutMs: 30_000,
    reconfiguration: 12,
    generation: 3,
    pathPrefix: '/ha1',
    signal: new AbortController().signal,
    ...rest,
  }
}

/** Names the processes of one service. */
export function scopeOf(service: ProcessScope['service'], logicalHost: LogicalHostName = ha1): ProcessScope {
  return { service, logicalHost }
}

/** Tests what every method runner promises, the simulated one too. */
export function describeMethodRunner(name: string, makeHarness: () => Promise<MethodRunnerHarness>): void {
  describe(`method runner (${name})`, () => {
    let harness: MethodRunnerHarness
    beforeEach(async () => {
      harness = await makeHarness()
    })
    afterEach(() => harness.close())
    const at: At = () => harness
    describeEndings(at)
    describeRuns(at)
    describeProcesses(at)
    describeScopes(at)
  })
}

/** Hands out the harness of the running test. */
type At = () => MethodRunnerHarness

async function runBehaviour(at: At, behaviour: Behaviour, rest: Partial<MethodCall> = {}): Promise<MethodOutcome> {
  return at().runner.run(makeCall(await at().makeProgram(behaviour), rest))
}

function describeEndings(at: At): void {
  describe('has four endings:', () => {
    it('succeeded', async () => {
      const outcome = await runBehaviour(at, { kind: 'exits', exitCode: 0, prints: ['one', 'two'] })
      expect(outcome).toEqual({ kind: 'succeeded', durationMs: expect.any(Number), output: ['one', 'two'] })
    })

    it.each([1, 75, 126, 127, 255])('failed, with exit code %i', async (exitCode) => {
      const outcome = await runBehaviour(at, { kind: 'exits', exitCode, prints: ['no room'] })
      expect(outcome).toEqual({ kind: 'failed', exitCode, durationMs: expect.any(Number), output: ['no room'] })
    })

    it.each(['SIGSEGV', 'SIGKILL', 'SIGTERM'] as const)('killed, by %s', async (signal) => {
      const outcome = await runBehaviour(at, { kind: 'kills-itself', signal })
      expect(outcome).toMatchObject({ kind: 'killed', signal })
    })

    it('timed out, and gone after TERM', async () => {
      const outcome = await runBehaviour(at, { kind: 'hangs', ignoresTerm: false }, { timeoutMs: 200 })
      expect(outcome).toMatchObject({ kind: 'timed-out', forced: false })
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
    })

    it('timed out, and ended by KILL because it ignores TERM', async () => {
      const given = new AbortController()
      const program = await at().makeProgram({ kind: 'hangs', ignoresTerm: true })
      const run = at()
        .makeImpatient()
        .run(makeCall(program, { signal: given.signal }))
      await at().awaitHanging()
      // Given up rather than late, because only now it is known to ignore TERM.
      given.abort(new Error('the deadline passed'))
      expect(await run).toMatchObject({ kind: 'timed-out', forced: true })
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
    })
  })
}

function describeRuns(at: At): void {
  describe('a run', () => {
    it('is refused for a program that is missing, and names it', async () => {
      const run = at().runner.run(makeCall('/no/such/program'))
      await expect(run).rejects.toMatchObject({
        code: 'METHOD_FAILED',
        message: expect.stringContaining('START of data service pgdata cannot be started: /no/such/program'),
      })
    })

    it('that was given up before it began starts nothing', async () => {
      const outcome = await runBehaviour(
        at,
        { kind: 'leaves-daemon', ignoresTerm: false },
        { signal: AbortSignal.abort(new Error('the deadline passed')) },
      )
      expect(outcome).toEqual({ kind: 'timed-out', afterMs: 0, forced: false, output: [] })
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
    })

    it('that is given up ends like one that timed out', async () => {
      const given = new AbortController()
      const run = runBehaviour(at, { kind: 'hangs', ignoresTerm: false }, { signal: given.signal })
      await at().awaitHanging()
      given.abort(new Error('the deadline passed'))
      expect(await run).toMatchObject({ kind: 'timed-out', forced: false })
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
    })

    it('does not mind others beside it', async () => {
      const runs = [0, 1, 2, 3, 4, 5, 6, 7].map((exitCode) =>
        runBehaviour(at, { kind: 'exits', exitCode, prints: [`number ${exitCode}`] }),
      )
      const outcomes = await Promise.all(runs)
      expect(outcomes.map((outcome) => outcome.output)).toEqual(runs.map((_, exitCode) => [`number ${exitCode}`]))
      expect(outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.exitCode : 0))).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7,
      ])
    })
  })
}

function describeProcesses(at: At): void {
  describe('knows the daemon that a method left:', () => {
    it('resolves although it lives on, and lists it with the command that clears it', async () => {
      expect(await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: false })).toMatchObject({ kind: 'succeeded' })
      const found = await at().runner.processes(scopeOf(pgdata))
      expect(found).toHaveLength(1)
      expect(found[0]).toMatchObject({
        kind: 'process',
        what: expect.stringMatching(/^process \d+ \S+ \(service pgdata\)$/),
      })
      expect(found[0]?.remedy).toMatch(/^kill -9 \d+$/)
      expect(await at().runner.processes(scopeOf('all'))).toEqual(found)
    })

    it('also in another instance, as after a restart of the daemon', async () => {
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: false })
      const before = await at().runner.processes(scopeOf(pgdata))
      expect(await at().makeAnother().processes(scopeOf(pgdata))).toEqual(before)
      expect(await at().makeAnother().endProcesses(scopeOf(pgdata), patiently)).toEqual([])
      expect(await at().runner.processes(scopeOf(pgdata))).toEqual([])
    })

    it('ends it with TERM', async () => {
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: false })
      expect(await at().runner.endProcesses(scopeOf(pgdata), patiently)).toEqual([])
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
    })

    it.each([0, 50])('ends it with KILL after %i ms when it ignores TERM', async (graceMs) => {
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: true })
      expect(await at().runner.endProcesses(scopeOf(pgdata), { ...briefly, graceMs })).toEqual([])
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
    })

    it('has nothing to end where nothing is', async () => {
      expect(await at().runner.endProcesses(scopeOf('all'), patiently)).toEqual([])
      expect(await at().runner.endProcesses(scopeOf(pgdata), patiently)).toEqual([])
    })

    it('rejects with the reason when the ending is given up, and can be called again', async () => {
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: true })
      const given = new AbortController()
      const ending = at().runner.endProcesses(scopeOf(pgdata), { graceMs: 30_000, signal: given.signal })
      given.abort(new Error('the step took too long'))
      await expect(ending).rejects.toThrow('the step took too long')
      expect(await at().runner.endProcesses(scopeOf(pgdata), briefly)).toEqual([])
    })
  })
}

function describeScopes(at: At): void {
  describe('leaves alone what is out of scope:', () => {
    it('another service, another logical host', async () => {
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: false })
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: false }, { service: web })
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: false }, { logicalHost: ha11 })
      expect(await at().runner.endProcesses(scopeOf(pgdata), patiently)).toEqual([])
      expect(await at().runner.processes(scopeOf(pgdata))).toEqual([])
      expect(await at().runner.processes(scopeOf(web))).toHaveLength(1)
      expect(await at().runner.endProcesses(scopeOf('all'), patiently)).toEqual([])
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
      expect(await at().runner.processes(scopeOf('all', ha11))).toHaveLength(1)
    })

    it('another physical host on the same machine', async () => {
      const other = at().makeOtherHost()
      const program = await at().makeProgram({ kind: 'leaves-daemon', ignoresTerm: false })
      await other.run(makeCall(program))
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
      expect(await at().runner.endProcesses(scopeOf('all'), patiently)).toEqual([])
      expect(await other.processes(scopeOf('all'))).toHaveLength(1)
    })

    it('tells the services of a logical host apart', async () => {
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: false })
      await runBehaviour(at, { kind: 'leaves-daemon', ignoresTerm: false }, { service: web })
      await eventually('both services to be seen', 5000, async (saw) => {
        const found = (await at().runner.processes(scopeOf('all'))).map(({ what }) => what).sort()
        saw(found)
        return found.length === 2 && found.some((what) => what.endsWith('(service web)')) ? found : undefined
      })
    })
  })
}
