import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { bringAllBack, settled } from './lab/cluster.ts'
import { lastReconfiguration } from './lab/expect-whole.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { PowerDesk } from './lab/power-desk.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
const HOSTS = ['h1', 'h2'] as const
/** A fence takes less than a second; the rest is for a busy machine. */
const DONE_MS = 20_000
/** Of both hosts together: they take some seconds, in which a host that is to be fenced would be off long ago. */
const STAMPS = 12

describe.skipIf(missing !== undefined)(`fencing${why}`, () => {
  let lab: Lab
  let desk: PowerDesk
  let h1: LabHost
  let h2: LabHost
  let before: number

  beforeAll(async () => {
    const workshop = inject('workshop')
    const networks = ['pub', 'priv1'] as const
    lab = await Lab.start({ workshop, installation: join(workshop, 'haven'), name: 'fence', networks })
    for (const name of HOSTS) await lab.addHost(name)
    desk = await PowerDesk.open(lab)
    mkdirSync(join(lab.shared, 'data'))
    h1 = lab.host('h1')
    h2 = lab.host('h2')
    await startOnOneMachine()
  })
  beforeEach(async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    desk.isBroken = false
    for (const host of [h1, h2]) if (host.isOn) await host.thaw()
    await lab.healAll()
    await bringAllBack(lab)
    await settled(lab, { ha1: 'h1' })
    await eventually('both to hear each other', DONE_MS, async () => {
      const { privateNetworks } = await h2.api().status()
      return privateNetworks[0]?.state === 'up' ? true : undefined
    })
    before = await lastReconfiguration(lab)
  })
  afterAll(async () => {
    await desk?.close()
    await lab?.stop()
  })

  /** The causes of what happened since the test began, and how long each host was silent. */
  async function causes(): Promise<readonly string[]> {
    const { reconfigurations } = await h2.api().history({ last: 10 })
    return reconfigurations.filter(({ number }) => number > before).map(({ cause }) => cause.sentence)
  }

  it('takes over as soon as the device has confirmed that a host without power has none', async () => {
    await h1.powerOff()
    await settled(lab, { ha1: 'h2' })
    expect(await causes()).toEqual([expect.stringMatching(/^h1 lost: fenced by bmc after \d\.\d\d s$/)])
    const { fencing } = await h2.api().status()
    expect(fencing.fences[0]).toMatchObject({
      host: 'h1',
      askedBy: 'h2',
      operator: '',
      outcome: 'confirmed',
      devices: ['bmc'],
    })
  })

  it('switches off a host that stands still', async () => {
    await h1.freeze()
    await settled(lab, { ha1: 'h2' })
    expect(h1.isOn).toBe(false)
    expect(await causes()).toEqual([expect.stringMatching(/^h1 lost: fenced by bmc/)])
  })

  it('leaves a host alone whose heartbeats are lost while its stamps go on', async () => {
    await h1.cut('priv1')
    await eventually('the network to be known as lost', DONE_MS, async (saw) => {
      const { privateNetworks } = await h2.api().status()
      saw(privateNetworks)
      return privateNetworks[0]?.state === 'up' ? undefined : true
    })
    const { revision } = await h2.api().status()
    await eventually('many more stamps', DONE_MS, async () => {
      return (await h2.api().status()).revision > revision + STAMPS ? true : undefined
    })
    expect([h1.isOn, h2.isOn]).toEqual([true, true])
    expect(await causes()).toEqual([])
  })

  it('waits for the expiry when the device does not work, and says so beforehand', async () => {
    desk.isBroken = true
    await h1.haven('scconf', 'e2e', '--fence-device', 'bmc', '--timeout', '1')
    const hastat = await eventually('hastat to tell that the device is broken', DONE_MS, async (saw) => {
      const page = await h1.haven('hastat')
      saw(page)
      return page.includes('the fence device bmc does not work') ? page : undefined
    })
    expect(hastat).toContain('the controller does not answer')
    await h1.powerOff()
    await settled(lab, { ha1: 'h2' })
    expect(await causes()).toEqual([expect.stringMatching(/^h1 lost: no sign of life for/)])
    const failed = await eventually('the fence to have failed', DONE_MS, async (saw) => {
      const [fence] = (await h2.api().status()).fencing.fences
      saw(fence)
      return fence?.outcome === 'failed' ? fence : undefined
    })
    expect(failed.message).toContain('the controller does not answer')
    expect(await h2.haven('hastat')).toContain('the fence of h1 failed')
  })

  it('fences by an operator, who has to say so in words when the host lives', async () => {
    const refused = await h2.tryHaven('scadmin', 'fence', 'h1', '--yes')
    expect(refused.stderr).toContain('h1 is not fenced: it gave a sign of life')
    expect(refused.stderr).toContain('--even-if-alive')
    expect((await h2.tryHaven('scadmin', 'fence', 'h1', '--even-if-alive')).stderr).toContain('say --yes')
    expect(await causes()).toEqual([])
    const words = ['fence', 'h1', '--even-if-alive', '--yes', '--reason', 'it hangs']
    expect(await h2.haven('scadmin', ...words)).toMatch(/^h1 is off: bmc confirmed it after/)
    expect(h1.isOn).toBe(false)
    await settled(lab, { ha1: 'h2' })
    expect(await h2.haven('hastat')).toMatch(/h1 by \S+ on h2 \(it hangs\): confirmed by bmc/)
  })

  it('believes an operator that a host is off, unless it lives', async () => {
    const refused = await h2.tryHaven('scadmin', 'confirm-down', 'h1', '--reason', 'looked', '--yes')
    expect(refused.stderr).toContain('h1 cannot be confirmed down: it gave a sign of life')
    expect((await h2.tryHaven('scadmin', 'confirm-down', 'h1', '--yes')).stderr).toContain('--reason')
    desk.isBroken = true
    await h1.powerOff()
    await settled(lab, { ha1: 'h2' })
    await h2.haven('scadmin', 'confirm-down', 'h1', '--reason', 'unplugged', '--yes')
    expect(await h2.haven('hastat')).toMatch(/h1 by \S+ on h2 \(unplugged\): confirmed down/)
  })

  it('lets a fenced host join again when it is started by hand, or by itself as often as is configured', async () => {
    await h1.powerOff()
    await settled(lab, { ha1: 'h2' })
    await h1.boot()
    const refused = await h1.tryHaven('clustd', '--mode', 'auto', '--detach')
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain('h1 was fenced by h2')
    expect(refused.stderr).toContain('scadmin startnode')
    await h2.haven('scconf', 'e2e', '--rejoins-max', '1')
    await h1.haven('clustd', '--mode', 'auto', '--detach')
    await settled(lab, { ha1: 'h1' })
    await h1.powerOff()
    await settled(lab, { ha1: 'h2' })
    await h1.boot()
    expect((await h1.tryHaven('clustd', '--mode', 'auto', '--detach')).exitCode).toBe(3)
    await h1.haven('scadmin', 'startnode')
    await h2.haven('scconf', 'e2e', '--rejoins-max', '0')
  })

  it('lets all hosts come back by themselves when all of them had lost their power', async () => {
    await Promise.all([h1.powerOff(), h2.powerOff()])
    await Promise.all([h1.boot(), h2.boot()])
    await Promise.all(HOSTS.map((name) => lab.host(name).haven('clustd', '--mode', 'auto', '--detach')))
    await settled(lab, { ha1: 'h1' })
  })

  /** Hosts that share a database directory are set up one by one: the key of the first is handed to the other by hand. */
  async function startOnOneMachine(): Promise<void> {
    const place = `file:${lab.shared}/database`
    for (const host of [h1, h2]) {
      await host.haven('scadmin', 'setup', '--cluster', 'e2e', '--host', host.name, '--database', place)
      if (host === h1) await host.haven('scadmin', 'startcluster', host.name, 'e2e')
    }
    mkdirSync(dirname(join(h2.root, KEY_FILE)), { recursive: true, mode: 0o700 })
    writeFileSync(join(h2.root, KEY_FILE), readFileSync(join(h1.root, KEY_FILE)), { mode: 0o600 })
    await h2.haven('scadmin', 'startnode', 'e2e')
    const file = join(lab.shared, 'cluster.yaml')
    // YAML is a superset of JSON.
    writeFileSync(file, JSON.stringify(clusterOf()))
    await h1.haven('scconf', 'apply', '-f', file)
  }

  function clusterOf(): object {
    const hosts = HOSTS.map((name) => {
      const interfaces = { priv1: { adapter: 'priv1', address: lab.host(name).addressOn('priv1') } }
      return [name, { interfaces, fenceLevels: ['bmc'] }]
    })
    const fencing = { shareMax: 1, windowMs: 1_000, statusEveryMs: 1_000 }
    return {
      cluster: { name: 'e2e', budgets: { takeoversMax: 1_000, evictionsMax: 1_000 }, fencing },
      networks: { priv1: { role: 'internal' } },
      fenceDevices: { bmc: { program: desk.program, hosts: HOSTS } },
      physicalHosts: Object.fromEntries(hosts),
      diskGroups: { dg1: { directory: join(lab.shared, 'data') } },
      logicalHosts: {
        ha1: { physicalHosts: HOSTS, diskGroups: ['dg1'], addresses: [{ address: '10.77.0.101/24', adapters: 'pub' }] },
      },
    }
  }
})

const KEY_FILE = 'etc/haven/security/cluster.key'
