import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Attachment, createLoopList } from '../../../src/framework/drivers/disk-group/loop-devices.ts'
import { deviceName } from '../../../src/framework/drivers/mount-table.ts'

const { signal } = new AbortController()

/** A machine with devices that exist everywhere instead of loop devices; answers as losetup does, and counts the questions. */
function machine() {
  const files = new Map<string, Attachment>()
  let count = 0
  const made = {
    asked: 0,
    attach: (path: string, file: string): void => {
      count += 1
      files.set(path, { number: `7:${count}`, file, words: `${count} ${file}` })
    },
    detach: (path: string): void => {
      files.delete(path)
    },
    attached: () => new Map(files),
    run: async () => {
      made.asked += 1
      const rows = [...files].map(([name, { file, words }]) => ({
        name,
        'back-ino': Number(words.split(' ')[0]),
        'back-maj:min': ' 8:1',
        'back-file': file,
      }))
      return { exitCode: 0, stdout: rows.length === 0 ? '' : JSON.stringify({ loopdevices: rows }), stderr: '' }
    },
  }
  return made
}

describe('the list of loop devices', () => {
  it('asks only after something was attached', async () => {
    const one = machine()
    const { list } = createLoopList(one.attached)
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
    const { list } = createLoopList(one.attached)
    one.attach('/dev/null', '/a.img')
    await list(one.run, signal)
    one.detach('/dev/null')
    one.attach('/dev/null', '/a.img')
    expect(await list(one.run, signal)).toMatchObject([{ inode: 2 }])
  })

  it('asks next time for what was attached while it was asking', async () => {
    const one = machine()
    const { list } = createLoopList(one.attached)
    one.attach('/dev/null', '/a.img')
    const late = async (): ReturnType<typeof one.run> => {
      const answer = await one.run()
      one.attach('/dev/zero', '/late.img')
      return answer
    }
    expect(await list(late, signal)).toHaveLength(1)
    expect(await list(one.run, signal)).toHaveLength(2)
  })

  describe('that is told what was just made', () => {
    const file = import.meta.filename
    const facts = statSync(file)
    const image = { file, inode: facts.ino, onDevice: deviceName(facts.dev) }

    it('does not ask for it', async () => {
      const one = machine()
      const { list, remember } = createLoopList(one.attached)
      one.attach('/dev/null', file)
      await remember('7:1', image)
      expect(await list(one.run, signal)).toEqual([{ ...image, path: '/dev/null', number: '7:1' }])
      expect(one.asked).toBe(0)
      one.attach('/dev/null', file)
      expect(await list(one.run, signal)).toMatchObject([{ inode: 2 }])
    })

    it.each<[string, string, Partial<typeof image>]>([
      ['of a device that carries nothing', '7:9', {}],
      ['of a file that was replaced', '7:1', { inode: 1 }],
      ['of a file on another file system', '7:1', { onDevice: '9:9' }],
      ['of a file that is gone', '7:1', { file: '/no/such/image' }],
      ['of another file', '7:2', {}],
    ])('does not believe it %s', async (_what, number, wrong) => {
      const one = machine()
      const { list, remember } = createLoopList(one.attached)
      one.attach('/dev/null', file)
      one.attach('/dev/zero', '/another')
      await remember(number, { ...image, ...wrong })
      await list(one.run, signal)
      expect(one.asked).toBe(1)
    })
  })

  it('asks each time where the kernel does not count', async () => {
    const one = machine()
    const { list } = createLoopList(() => undefined)
    await list(one.run, signal)
    await list(one.run, signal)
    expect(one.asked).toBe(2)
  })
})
