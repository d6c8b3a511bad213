import { describe, expect, it } from 'vitest'
import { parseName } from '../../../src/framework/model/names.ts'
import { writablePlaces } from '../../../src/methods/cgroup.ts'
import { parseStat, readProcess } from '../../../src/methods/proc.ts'
import { describeProcess, findProcesses } from '../../../src/methods/processes.ts'
import { hostKey, tagOf } from '../../../src/methods/scope-names.ts'
import { createTagLook } from '../../../src/methods/tagged-processes.ts'

const logicalHost = parseName('logicalHost', 'ha1')
const service = parseName('dataService', 'web')

describe('the key of a physical host', () => {
  const place = { root: '/', cluster: 'c', physicalHost: 'alpha' }
  const first = 'pid:[4026531836]'

  it('is its bare name where it is a whole machine', () => {
    expect(hostKey(place, first)).toBe('c:alpha')
    expect(tagOf(hostKey(place, first), { logicalHost, service })).toBe('c:alpha/ha1/web')
  })

  it('tells apart roots and pid namespaces, but not ways to write a root', () => {
    const keys = [
      hostKey(place, first),
      hostKey({ ...place, root: '/tmp/a' }, first),
      hostKey({ ...place, root: '/tmp/b' }, first),
      hostKey(place, 'pid:[4026532000]'),
      hostKey({ ...place, cluster: 'c.alpha', physicalHost: 'x' }, first),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(hostKey({ ...place, root: '/tmp/a/' }, first)).toBe(keys[1])
  })
})

describe('a line of /proc/<pid>/stat', () => {
  const rest = 'S 10 4711 4711 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 8888 1 1'

  it('is understood whatever the command is called', () => {
    expect(parseStat(`4711 (a) S 1 (b c) ${rest}\n`)).toEqual({
      pid: 4711,
      command: 'a) S 1 (b c',
      state: 'S',
      parent: 10,
      group: 4711,
      startTicks: 8888,
    })
  })

  it.each(['', '4711', '4711 (x', '4711 (x) S 1', 'x (x) S 1 2 3'])('is refused when it is none: %j', (text) => {
    expect(parseStat(text)).toBeUndefined()
  })

  it('tells of this process', () => {
    expect(readProcess(process.pid)).toMatchObject({ pid: process.pid, parent: process.ppid })
    expect(readProcess(2 ** 22 + 1)).toBeUndefined()
  })
})

describe('places for cgroups', () => {
  const mounts = [
    'tmpfs /sys/fs/cgroup tmpfs rw 0 0',
    'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0',
    'cgroup2 /sys/fs/cgroup/a\\040b cgroup2 rw 0 0',
    '',
  ].join('\n')

  it('are the top of the v2 hierarchy, then the way down to our own', () => {
    expect(writablePlaces(mounts, '1:cpu:/x\n0::/user.slice/user@0.service\n')).toEqual([
      '/sys/fs/cgroup/a b',
      '/sys/fs/cgroup/a b/user.slice',
      '/sys/fs/cgroup/a b/user.slice/user@0.service',
    ])
  })

  it('are the top alone when we are outside of our cgroup namespace', () => {
    expect(writablePlaces(mounts, '0::/../other\n')).toEqual(['/sys/fs/cgroup/a b'])
  })

  it('are none without cgroups v2', () => {
    expect(writablePlaces('tmpfs / tmpfs rw 0 0\n', '')).toEqual([])
  })
})

describe('finding processes', () => {
  it('never finds itself, what it descends from, or its children, even if a method started it', async () => {
    const tags = new Map([process.pid, process.ppid, 1].map((pid) => [pid, 'c:alpha/ha1/web']))
    const place = { hostKey: 'c:alpha', cgroupHome: undefined, lookForTags: async () => tags }
    expect(await findProcesses(place, { logicalHost, service: 'all' })).toEqual([])
  })

  it('shares one look among those who wait for it, but never one that had begun before', async () => {
    const look = createTagLook('no:host')
    const first = look()
    await Promise.resolve()
    const [second, third] = [look(), look()]
    expect(second).toBe(third)
    expect(second).not.toBe(first)
    expect([await first, await second]).toEqual([new Map(), new Map()])
    expect(look()).not.toBe(second)
  })

  it('does not take the key for a pattern', async () => {
    const look = createTagLook('.*')
    expect(await look()).toEqual(new Map())
  })

  it('says of one in uninterruptible sleep what helps', () => {
    const facts = { pid: 7, command: 'dd', parent: 1, group: 7, startTicks: 1, service: 'web' }
    expect(describeProcess({ ...facts, state: 'S' })).toEqual({
      kind: 'process',
      what: 'process 7 dd (service web)',
      remedy: 'kill -9 7',
    })
    expect(describeProcess({ ...facts, state: 'D' })).toMatchObject({
      what: 'process 7 dd (service web), in uninterruptible sleep',
      remedy: expect.stringContaining('reboot'),
    })
  })
})
