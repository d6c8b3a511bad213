import { describe, expect, it } from 'vitest'
import { createLoopList } from '../../../src/framework/drivers/disk-group/loop-devices.ts'

const { signal } = new AbortController()

/** A machine with devices that exist everywhere instead of loop devices; answers as losetup does, and counts the questions. */
function machine() {
  const files = new Map<string, string>()
  let count = 0
  const made = {
    asked: 0,
    attach: (path: string, file: string): void => {
      count += 1
      files.set(path, `${count} ${file}`)
    },
    detach: (path: string): void => {
      files.delete(path)
    },
    attached: () => new Map(files),
    run: async () => {
      made.asked += 1
      const rows = [...files].map(([name, words]) => ({
        name,
        'back-ino': Number(words.split(' ')[0]),
        'back-maj:min': ' 8:1',
        'back-file': words.split(' ')[1],
      }))
      return { exitCode: 0, stdout: rows.length === 0 ? '' : JSON.stringify({ loopdevices: rows }), stderr: '' }
    },
  }
  return made
}

describe('the list of loop devices', () => {
  it('asks only after something was attached', async () => {
    const one = machine()
    const list = createLoopList(one.attached)
    const files = async (): Promise<readonly string[]> => (await list(one.run, signal)).map(({ file }) => file)
    expect(await files()).toEqual([])
    expect(one.asked).toBe(0)
    one.attach('/dev/null', '/a.img')
    expect(await list(one.run, signal)).toMatchObject([
      { path: '/dev/null', inode: 1, onDevice: '8:1', file: '/a.img' },
    ])
    one.attach('/dev/zero', '/b.img')
    expect(await files()).toEqual(['/a.img', '/b.img'])
    expect(await files()).toEqual(['/a.img', '/b.img'])
    expect(one.asked).toBe(2)
    one.detach('/dev/null')
    expect(await files()).toEqual(['/b.img'])
    expect(one.asked).toBe(2)
  })

  it('asks again when a device carries something else, or the same anew', async () => {
    const one = machine()
    const list = createLoopList(one.attached)
    one.attach('/dev/null', '/a.img')
    await list(one.run, signal)
    one.detach('/dev/null')
    one.attach('/dev/null', '/a.img')
    expect(await list(one.run, signal)).toMatchObject([{ inode: 2 }])
  })

  it('asks next time for what was attached while it was asking', async () => {
    const one = machine()
    const list = createLoopList(one.attached)
    one.attach('/dev/null', '/a.img')
    const late = async (): ReturnType<typeof one.run> => {
      const answer = await one.run()
      one.attach('/dev/zero', '/late.img')
      return answer
    }
    expect(await list(late, signal)).toHaveLength(1)
    expect(await list(one.run, signal)).toHaveLength(2)
  })

  it('asks each time where the kernel does not count', async () => {
    const one = machine()
    const list = createLoopList(() => undefined)
    await list(one.run, signal)
    await list(one.run, signal)
    expect(one.asked).toBe(2)
  })
})
