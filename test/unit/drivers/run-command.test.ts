import { describe, expect, it } from 'vitest'
import { findTagged } from '../../../src/framework/drivers/processes.ts'
import { CommandError, createRunCommand } from '../../../src/framework/drivers/run-command.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { createTagLook } from '../../../src/methods/tagged-processes.ts'
import { eventually } from '../../eventually.ts'

const tag = `test-${process.pid}:h1/-/commands`
const run = createRunCommand({ effects: createRealEffects(), tag })
const signal = new AbortController().signal

async function failureOf(call: Promise<unknown>): Promise<CommandError> {
  const error = await call.then(
    () => undefined,
    (why: unknown) => why,
  )
  if (error instanceof CommandError) return error
  throw new Error(`expected a CommandError, got ${error}`)
}

describe('running a command', () => {
  it('returns what it printed, with a clean environment and no shell in between', async () => {
    expect((await run(['echo', '$HOME; *'], { signal })).stdout).toBe('$HOME; *\n')
    const { stdout } = await run(['env'], { signal })
    expect(
      stdout
        .split('\n')
        .filter((line) => !line.startsWith('PATH='))
        .sort(),
    ).toEqual(['', `HAVEN_SCOPE=${tag}`, 'LC_ALL=C'])
  })

  it('says which command failed, how, and what it complained about', async () => {
    const error = await failureOf(run(['sh', '-c', 'echo wrong >&2; exit 3'], { signal }))
    expect(error.message).toBe('sh -c echo wrong >&2; exit 3: exit code 3: wrong')
    expect(error.facts).toEqual({ exitCode: 3, isMissing: false, stderr: 'wrong\n' })
  })

  it('takes the exit codes that are no failure', async () => {
    expect((await run(['sh', '-c', 'exit 3'], { signal, accept: [0, 3] })).exitCode).toBe(3)
    expect((await failureOf(run(['true'], { signal, accept: [1] }))).facts.exitCode).toBe(0)
  })

  it('tells a program that is not there', async () => {
    expect((await failureOf(run(['haven-has-no-such-program'], { signal }))).facts.isMissing).toBe(true)
  })

  it('tells a program that was killed', async () => {
    expect((await failureOf(run(['sh', '-c', 'kill -KILL $$'], { signal }))).message).toContain('killed by SIGKILL')
  })

  it('ends all of the command when it is aborted, also what ignores TERM', async () => {
    const controller = new AbortController()
    const stubborn = 'trap "" TERM; sh -c "trap \\"\\" TERM; while :; do sleep 1; done" & while :; do sleep 1; done'
    const running = run(['sh', '-c', stubborn], { signal: controller.signal })
    await eventually('both shells to run', 5_000, async () => ((await findTagged(tag)).length >= 3 ? true : undefined))
    const look = createTagLook(`test-${process.pid}:h1`)
    await eventually('the look to find them too', 5_000, async () =>
      (await findTagged(tag, look)).length >= 3 ? true : undefined,
    )
    expect(await findTagged(`${tag}-of-others`, look)).toEqual([])
    controller.abort(new Error('no more time'))
    await expect(running).rejects.toThrow('no more time')
    expect(await findTagged(tag)).toEqual([])
  })

  it('does not even begin when it is aborted already', async () => {
    await expect(run(['true'], { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late')
  })

  it('ends a command that takes too long', async () => {
    const error = await failureOf(run(['sleep', '60'], { signal, timeoutMs: 20 }))
    expect(error.message).toBe('sleep 60: took longer than 20 ms')
  })

  it('does not keep more than is an answer', async () => {
    expect((await failureOf(run(['cat', '/dev/zero'], { signal }))).message).toContain('printed more than')
    expect((await failureOf(run(['sh', '-c', 'seq 100000 >&2; exit 1'], { signal }))).facts.stderr.length).toBeLessThan(
      10_000,
    )
  })
})
