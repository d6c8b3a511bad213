import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { voterPaths } from '../../src/framework/voter/voter-paths.ts'
import { eventually } from '../eventually.ts'
import { settled } from './lab/cluster.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { startManagedCluster, votersAt } from './lab/managed-cluster.ts'
import { missing } from './lab/missing.ts'
import { PowerDesk } from './lab/power-desk.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
/** Three looks at the voters, ten seconds apart, twice if one of them had to wait; and a busy machine. */
const HANDED_OVER_MS = 120_000

describe.skipIf(missing !== undefined)(`the lead of a managed etcd${why}`, () => {
  let lab: Lab
  let desk: PowerDesk
  let alpha: LabHost
  let beta: LabHost
  let watcher: LabHost

  beforeAll(async () => {
    const networks = ['pub', 'priv1'] as const
    const workshop = inject('workshop')
    lab = await Lab.start({ workshop, installation: join(workshop, 'haven'), name: 'lead', networks })
    alpha = await lab.addHost('alpha')
    beta = await lab.addHost('beta')
    watcher = await lab.addHost('watcher', { isWitness: true })
    desk = await PowerDesk.open(lab)
    await startManagedCluster(lab, 'shop', watcher)
    const data = join(lab.shared, 'data')
    mkdirSync(data)
    await alpha.haven('scconf', 'shop', '--disk-group', 'data', '--define', `directory:${data}`)
    await alpha.haven('scconf', 'shop', '-L', 'web', '-n', 'alpha,beta', '-g', 'data', '-i', 'pub,pub,10.77.0.101')
    await settled(lab, { web: 'alpha' })
  })
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
  })
  afterAll(async () => {
    await desk?.close()
    await lab?.stop()
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
    await settled(lab, { web: 'beta' })
    const { reconfigurations } = await beta.api().history({ last: 1 })
    expect(reconfigurations.map(({ cause }) => cause.sentence)).toEqual([
      expect.stringMatching(/^alpha lost: fenced by bmc after \d\.\d\d s$/),
    ])
    expect([await term(), await leader()]).toEqual([before, 'watcher'])
  })
})
