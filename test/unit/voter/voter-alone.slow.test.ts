import { renameSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { voterPaths } from '../../../src/framework/voter/voter-paths.ts'
import { missing, type VoterMachine, VoterRig } from './voter-rig.ts'

describe.skipIf(missing !== undefined)('one voter', { timeout: 60_000 }, () => {
  let rig: VoterRig
  let alpha: VoterMachine
  beforeAll(async () => {
    rig = await VoterRig.create()
  })
  beforeEach(() => {
    alpha = rig.another()
  })
  afterAll(() => rig.end())

  test('is back after it was killed, with what it knew', async () => {
    await alpha.begin()
    await alpha.keep('a', 'kept')
    const before = alpha.etcdPid()
    alpha.killEtcd()
    await alpha.reaches('to have started etcd again', ({ phase, starts }) => phase === 'running' && starts === 2)
    expect(alpha.etcdPid()).not.toBe(before)
    expect(await alpha.read('a')).toBe('kept')
  })

  test('goes on without its supervisor, and the next one takes it over', async () => {
    await alpha.begin()
    const etcd = alpha.etcdPid()
    await alpha.killSupervisor()
    expect(await alpha.read('a')).toBeUndefined()
    alpha.supervise()
    await alpha.reaches('to be supervised again', ({ phase, starts }) => phase === 'running' && starts === 0)
    expect(alpha.etcdPid()).toBe(etcd)
    alpha.killEtcd()
    await alpha.reaches('to have started etcd again', ({ phase, starts }) => phase === 'running' && starts === 1)
  })

  test('is never made anew when its data are gone', async () => {
    await alpha.begin()
    await alpha.keep('a', 'kept')
    await alpha.stop()
    const { data } = voterPaths(alpha.root)
    renameSync(data, `${data}.away`)
    alpha.supervise()
    const state = await alpha.reaches('to complain', ({ phase, complaint }) => phase === 'failing' && complaint !== '')
    expect(state.complaint).toBe(`the data of the voter ${alpha.name} are gone from ${data}`)
    expect(state.remedy).toContain('It was the only voter. Mount its disk again')
    rmSync(data, { recursive: true, force: true })
    renameSync(`${data}.away`, data)
    await alpha.reaches('to serve again', ({ phase, complaint }) => phase === 'running' && complaint === '')
    expect(await alpha.read('a')).toBe('kept')
  })
})
