import { afterEach, describe, expect, it } from 'vitest'
import { findTagged } from '../../../src/framework/drivers/processes.ts'
import { createRunCommand } from '../../../src/framework/drivers/run-command.ts'
import { createSpareProgram, type SpareProgram } from '../../../src/framework/drivers/spare-program.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { eventually } from '../../eventually.ts'

const tag = `haven-test-${process.pid}/-/spare`
const real = createRealEffects()
/** Says who it is, and what it was told. */
const ECHO = ['sh', '-c', 'read -r line; echo "$$ $line"'] as const

describe('a program that waits for its input', () => {
  let nowMs = 0
  let spare: SpareProgram
  const start = (argv: readonly [string, ...string[]] = ECHO): SpareProgram => {
    nowMs = 0
    const effects = { ...real, nowMonotonicMs: () => nowMs }
    spare = createSpareProgram(createRunCommand({ effects, tag }), argv, effects)
    return spare
  }
  const pids = async (): Promise<readonly string[]> => (await findTagged(tag)).map(({ pid }) => String(pid))
  const one = (): Promise<string> =>
    eventually('one to wait', 5_000, async () => {
      const [pid, ...others] = await pids()
      return others.length === 0 ? pid : undefined
    })
  const none = (): Promise<true> =>
    eventually('none to be left', 5_000, async () => ((await pids()).length === 0 ? true : undefined))
  const run = async (input: string): Promise<readonly string[]> => {
    const { stdout } = await spare.run(`${input}\n`, new AbortController().signal)
    return stdout.trim().split(' ')
  }
  afterEach(async () => {
    spare.close()
    await none()
  })

  it('is used by whoever comes next, once', async () => {
    start().expect()
    const waiting = await one()
    expect(await run('first')).toEqual([waiting, 'first'])
    const [pid, said] = await run('second')
    expect([pid === waiting, said]).toEqual([false, 'second'])
  })

  it('is one, however often it is expected, and soon after not again', async () => {
    start().expect()
    spare.expect()
    const waiting = await one()
    nowMs = 2_000
    spare.expect()
    expect(await pids()).toEqual([waiting])
    await run('word')
    nowMs = 500
    spare.expect()
    expect(await pids()).toEqual([])
    nowMs = 1_000
    spare.expect()
    await one()
  })

  it('is not missed when it has ended before', async () => {
    start().expect()
    const waiting = await one()
    process.kill(Number(waiting), 'SIGKILL')
    await none()
    const [pid, said] = await run('word')
    expect([pid === waiting, said]).toEqual([false, 'word'])
  })

  it('ends with whoever gives up', async () => {
    start(['sleep', '1000']).expect()
    await one()
    const giving = new AbortController()
    const result = spare.run('word\n', giving.signal)
    giving.abort(new Error('given up'))
    await expect(result).rejects.toThrow('given up')
    expect(await pids()).toEqual([])
  })
})
