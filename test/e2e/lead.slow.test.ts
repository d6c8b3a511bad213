import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { voterPaths } from '../../src/framework/voter/voter-paths.ts'
import { eventually } from '../eventually.ts'
import { settled } from './lab/cluster.ts'
import type { LabHost } from './lab/lab-host.ts'
import { addWeb, type ManagedLab, startManagedCluster, startManagedLab, votersAt } from './lab/managed-cluster.ts'
import { missing } from './lab/missing.ts'
import { PowerDesk } from './lab/power-desk.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
/** Three looks at the voters, ten seconds apart, twice if one of them had to wait; and a busy machine. */
const HANDED_OVER_MS = 120_000

describe.skipIf(missing !== undefined)(`the lead of a managed etcd${why}`, () => {
  let made: ManagedLab
  let desk: PowerDesk
  let alpha: LabHost
  let beta: LabHost
  let watcher: LabHost

  beforeAll(async () => {
    made = await startManagedLab('lead')
    ;({ alpha, beta, watcher } = made)
    desk = await PowerDesk.open(made.lab)
    await startManagedCluster(made, 'shop')
    await addWeb(made, 'shop')
  })
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(made.lab)))
  })
  afterAll(async () => {
    await desk?.close()
    await made?.lab.stop()
  })

  async function leader(): Promise<string | undefined> {
    return (await votersAt(watcher)).voters.find(({ role }) => role === 'leader')?.name
  }

  /** Grows by one with each election. */
  async function term(): Promise<string | undefined> {
    const { tls } = voterPaths(watcher.root)
    const at = `--endpoints=https://${watcher.addressOn('priv1')}:7412`
    const proof = [`--cacert=${tls.ca}`, `--cert=${tls.certificate}`, `--key=${tls.key}`]
    const said = await watcher.exec('etcdctl', at, ...proof, 'endpoint', 'status', '-w', 'json')
    return /"raftTerm":(\d+)/.exec(said)?.[1]
  }

  it('goes to the witness once hosts are fenced, so that the fence of a master waits for no election', async () => {
    expect(await leader()).toBe('alpha')
    await alpha.haven('scconf', 'shop', '--fence-device', 'bmc', '--program', desk.program, '--hosts', 'alpha,beta')
    for (const host of ['alpha', 'beta']) await alpha.haven('scconf', 'shop', '--fence-levels', `${host}=bmc`)
    await eventually('the witness to lead', HANDED_OVER_MS, async (saw) => {
      const name = await leader()
      saw(name)
      return name === 'watcher' || undefined
    })
    const before = await term()
    expect(before).toBeDefined()
    await alpha.powerOff()
    await settled(made.lab, { web: 'beta' })
    const { reconfigurations } = await beta.api().history({ last: 1 })
    expect(reconfigurations.map(({ cause }) => cause.sentence)).toEqual([
      expect.stringMatching(/^alpha lost: fenced by bmc after \d\.\d\d s$/),
    ])
    expect([await term(), await leader()]).toEqual([before, 'watcher'])
  })
})
