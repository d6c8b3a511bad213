import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { settled } from './lab/cluster.ts'
import { lastReconfiguration } from './lab/expect-whole.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
const HOSTS = ['h1', 'h2', 'h3'] as const
/** A silence is known after a quarter of a second; the rest is for a busy machine. */
const KNOWN_MS = 10_000

describe.skipIf(missing !== undefined)(`heartbeats over two private networks${why}`, () => {
  let lab: Lab
  let h1: LabHost
  let h2: LabHost
  let before: number
  const latencies: string[] = []

  beforeAll(async () => {
    const workshop = inject('workshop')
    lab = await Lab.start({
      workshop,
      installation: join(workshop, 'haven'),
      name: 'beats',
      networks: ['pub', 'priv1', 'priv2'],
    })
    const hosts = await Promise.all(HOSTS.map((name) => lab.addHost(name)))
    mkdirSync(join(lab.shared, 'data'))
    await startOnOneMachine(lab, hosts)
    h1 = lab.host('h1')
    h2 = lab.host('h2')
    await settled(lab, { ha1: 'h1' })
  })
  beforeEach(async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    await lab.healAll()
    await lab.switch.ip(['link set priv1 up', 'link set priv2 up'])
    await states('up', 'up')
    before = await lastReconfiguration(lab)
  })
  afterAll(async () => {
    await lab?.stop()
    console.log(`a change of a network, seen by hastat:\n${latencies.join('\n')}`)
  })

  /** Waits until every host finds the private networks to be so. */
  async function states(priv1: string, priv2: string): Promise<void> {
    const from = performance.now()
    await eventually(`priv1 ${priv1}, priv2 ${priv2}`, KNOWN_MS, async (saw) => {
      const all = await Promise.all([...lab.hosts.values()].map(async (host) => await found(host)))
      saw(all)
      return all.every((one) => one['priv1'] === priv1 && one['priv2'] === priv2) ? true : undefined
    })
    latencies.push(
      `  ${Math.round(performance.now() - from)} ms: ${expect.getState().currentTestName}: ${priv1}, ${priv2}`,
    )
  }

  async function found(host: LabHost): Promise<Readonly<Record<string, string>>> {
    const { privateNetworks } = await host.api().status()
    return Object.fromEntries(privateNetworks.map(({ name, state }) => [name, state]))
  }

  /** Waits until h2 finds the interfaces on priv1 to be so: a state of the network is known before what the last of the others sees. */
  async function interfaces(wanted: string): Promise<void> {
    await eventually(`the interfaces on priv1 to be: ${wanted}`, KNOWN_MS, async (saw) => {
      const { privateNetworks } = await h2.api().status()
      const priv1 = privateNetworks.find(({ name }) => name === 'priv1')
      const found = (priv1?.interfaces ?? []).map(({ host, sentence }) => `${host} ${sentence}`).join(', ')
      saw(found)
      return found === wanted ? true : undefined
    })
  }

  /** Waits for the line of the log; then nothing can still be about to move because of it. */
  async function told(line: string): Promise<void> {
    await eventually(`h2 to say: ${line}`, KNOWN_MS, async (saw) => {
      const { messages } = await h2.api().status({ messages: 50 })
      const texts = messages.map(({ text }) => text)
      saw(texts)
      return texts.includes(line) ? true : undefined
    })
    expect(await lastReconfiguration(lab)).toBe(before)
    await settled(lab, { ha1: 'h1' })
  }

  it('tells the interface whose cable was pulled; nothing moves', async () => {
    await h1.cut('priv1')
    await states('partitioned', 'up')
    await interfaces('h1 failed: the link of priv1 is down, h2 up, h3 up')
    await told(
      'network priv1: partitioned: the interface priv1 of h1 has failed (the link of priv1 is down); heartbeats go on over priv2',
    )
    expect(await h1.haven('haget', '-f', 'network_state', '--network', 'priv1')).toBe('partitioned\n')
  })

  it('tells the interface that nobody hears although its link is up; nothing moves', async () => {
    await h1.mute('priv1')
    await states('partitioned', 'up')
    await interfaces('h1 failed: nobody hears it, while others hear each other, h2 up, h3 up')
    await told(
      'network priv1: partitioned: the interface priv1 of h1 has failed (nobody hears it, while others hear each other); heartbeats go on over priv2',
    )
  })

  it('blames nobody when the whole network is gone; nothing moves', async () => {
    await lab.switch.ip(['link set priv1 down'])
    await states('down', 'up')
    await told(
      'network priv1: down: h1 and h2, h1 and h3 and h2 and h3 do not hear each other over it; heartbeats go on over priv2',
    )
    const shown = await h1.haven('hastat')
    expect(shown).toContain('! network priv1 is down: h1 and h2')
    expect(shown).toContain('no logical host moves because of it')
  })

  it('tells that no heartbeats are left when both networks are gone; nothing moves', async () => {
    await lab.switch.ip(['link set priv1 down', 'link set priv2 down'])
    await states('down', 'down')
    await told(
      'network priv2: down: h1 and h2, h1 and h3 and h2 and h3 do not hear each other over it; no other network carries their heartbeats',
    )
  })

  it('takes a host that lost its power for a host that is down, and no network for broken', async () => {
    await lab.host('h3').powerOff()
    await eventually('h3 to be given up', 30_000, async (saw) => {
      const { physicalHosts, privateNetworks } = await h2.api().status()
      saw(privateNetworks)
      const isGone = physicalHosts.find(({ name }) => name === 'h3')?.membership === 'not a member'
      return isGone ? true : undefined
    })
    const both = await found(h2)
    expect(both).toEqual({ priv1: 'up', priv2: 'up' })
    await interfaces('h1 up, h2 up, h3 unavailable')
    const { messages } = await h2.api().status({ messages: 50 })
    // The last that was said of each network is that it was mended by the test before.
    const last = (name: string) => messages.filter(({ text }) => text.startsWith(`network ${name}:`)).at(-1)?.text
    expect([last('priv1'), last('priv2')]).toEqual(['network priv1: up', 'network priv2: up'])
    await lab.host('h3').boot()
    await lab.host('h3').haven('scadmin', 'startnode', 'e2e')
    await states('up', 'up')
  })

  it('follows the configuration while it runs', async () => {
    await h1.haven('scconf', 'e2e', '--heartbeat-ms', '25', '--suspect-ms', '120')
    await h1.haven('scconf', 'e2e', '--network', 'priv2', '-r')
    expect(Object.keys(await found(h1))).toEqual(['priv1'])
    const refused = await h1.tryHaven('scconf', 'e2e', '--network', 'priv1', '-r')
    expect(refused.stderr).toContain('priv1 is the last one that carries heartbeats')
    await h1.haven('scconf', 'e2e', '--network', 'priv2')
    for (const host of lab.hosts.values()) {
      const at = `priv2:priv2:${host.addressOn('priv2')}`
      await h1.haven('scconf', 'e2e', '--physical-host', host.name, '--interface', at)
    }
    await states('up', 'up')
    expect((await h2.haven('haget', '-f', 'private_links', '-h', 'h1')).split('\n').slice(0, 2)).toEqual([
      h1.addressOn('priv1'),
      h1.addressOn('priv2'),
    ])
  })
})

/** Hosts that share a database directory are set up one by one, without a token: the key of the first is handed to the others by hand. */
async function startOnOneMachine(lab: Lab, [first, ...others]: readonly LabHost[]): Promise<void> {
  if (first === undefined) return
  const setUp = (host: LabHost): Promise<string> =>
    host.haven('scadmin', 'setup', '--cluster', 'e2e', '--host', host.name, '--database', `file:${lab.shared}/database`)
  await setUp(first)
  const key = readFileSync(join(first.root, KEY_FILE))
  await first.haven('scadmin', 'startcluster', first.name, 'e2e')
  for (const host of others) {
    await setUp(host)
    mkdirSync(dirname(join(host.root, KEY_FILE)), { recursive: true, mode: 0o700 })
    writeFileSync(join(host.root, KEY_FILE), key, { mode: 0o600 })
    await host.haven('scadmin', 'startnode', 'e2e')
  }
  const file = join(lab.shared, 'cluster.yaml')
  // YAML is a superset of JSON.
  writeFileSync(file, JSON.stringify(clusterOf(lab)))
  await first.haven('scconf', 'apply', '-f', file)
}

const KEY_FILE = 'etc/haven/security/cluster.key'

function clusterOf(lab: Lab): object {
  const interfacesOf = (name: string): object => {
    const host = lab.host(name)
    const on = (['pub', 'priv1', 'priv2'] as const).map((at) => [at, { adapter: at, address: host.addressOn(at) }])
    return { interfaces: Object.fromEntries(on) }
  }
  return {
    cluster: { name: 'e2e', budgets: { takeoversMax: 1_000, evictionsMax: 1_000 } },
    networks: { pub: { role: 'client' }, priv1: { role: 'internal' }, priv2: { role: 'internal' } },
    physicalHosts: Object.fromEntries(HOSTS.map((name) => [name, interfacesOf(name)])),
    diskGroups: { dg1: { directory: join(lab.shared, 'data') } },
    logicalHosts: {
      ha1: { physicalHosts: HOSTS, diskGroups: ['dg1'], addresses: [{ address: '10.77.0.101/24', adapters: 'pub' }] },
    },
  }
}
