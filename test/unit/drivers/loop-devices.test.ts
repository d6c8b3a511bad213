import { describe, expect, it } from 'vitest'
import { createLoopList } from '../../../src/framework/drivers/disk-group/loop-devices.ts'

const { signal } = new AbortController()

/** Answers as losetup does, with a device that every machine has; counts the questions. */
function losetup() {
  const asked: string[] = []
  const files: string[] = []
  return {
    asked,
    files,
    run: async ([program]: readonly [string, ...string[]]) => {
      asked.push(program)
      const row = (file: string): object => ({
        name: '/dev/null',
        'back-ino': 7,
        'back-maj:min': ' 8:1',
        'back-file': file,
      })
      return { exitCode: 0, stdout: JSON.stringify({ loopdevices: files.map(row) }), stderr: '' }
    },
  }
}

describe('the list of loop devices', () => {
  it('asks again only after something was attached or detached', async () => {
    let sequence = 'loop0 1'
    const { asked, files, run } = losetup()
    const list = createLoopList(() => sequence)
    expect(await list(run, signal)).toEqual([])
    expect(await list(run, signal)).toEqual([])
    expect(asked).toHaveLength(1)
    files.push('/a.img')
    sequence = 'loop0 2'
    expect(await list(run, signal)).toMatchObject([{ path: '/dev/null', inode: 7, onDevice: '8:1', file: '/a.img' }])
    expect(asked).toHaveLength(2)
  })

  it('sees next time what was attached while it was asking', async () => {
    let sequence = 'loop0 1'
    const { asked, files, run } = losetup()
    const list = createLoopList(() => sequence)
    const late: typeof run = async (argv) => {
      const answer = await run(argv)
      files.push('/late.img')
      sequence = 'loop0 2'
      return answer
    }
    expect(await list(late, signal)).toEqual([])
    expect(await list(run, signal)).toMatchObject([{ file: '/late.img' }])
    expect(asked).toHaveLength(2)
  })

  it('asks each time where the kernel does not count', async () => {
    const { asked, run } = losetup()
    const list = createLoopList(() => undefined)
    await list(run, signal)
    await list(run, signal)
    expect(asked).toHaveLength(2)
  })
})
