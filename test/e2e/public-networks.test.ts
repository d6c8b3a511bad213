import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { bringAllBack, settled, startCluster } from './lab/cluster.ts'
import { lookAtHost } from './lab/host-view.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
/** Silence is found within some seconds, and everything else at once; this is for a slow and busy machine. */
const FOUND_MS = 45_000
const ADDRESS = '10.77.0.101'
const PORT = 7_000

/** Answers each line with the same line; on the host, as a service that listens on all its addresses. */
const ECHO = `require('node:net').createServer((socket) => {
  socket.on('error', () => undefined)
  socket.pipe(socket)
}).listen(${PORT}, '0.0.0.0')`

/** One connection for as long as it lasts: writes a number every 2 ms, and prints the longest time between two answers when its input ends. */
const CLIENT = `
const socket = require('node:net').connect(${PORT}, '${ADDRESS}')
socket.setNoDelay(true)
let count = 0
let last = 0
let longest = 0
let heard = 0
socket.on('connect', () => {
  last = performance.now()
  process.stdout.write('connected\\n')
  setInterval(() => socket.write(\`\${(count += 1)}\\n\`), 2)
})
socket.on('data', () => {
  const now = performance.now()
  longest = Math.max(longest, now - last)
  last = now
  heard += 1
})
socket.on('error', (error) => { process.stdout.write(\`broken \${error.message}\\n\`); process.exit(1) })
socket.on('close', () => process.exit(1))
process.stdin.on('data', (text) => {
  if (text.toString().includes('end')) { process.stdout.write(\`longest \${Math.round(longest)}\\n\`); process.exit(0) }
  process.stdout.write(\`heard \${heard}\\n\`)
  heard = 0
})`

/** A connection of the client to the logical address. */
class Connection {
  readonly #child
  #said = ''

  constructor(lab: Lab) {
    const [program, ...words] = lab.clientWords(process.execPath, '-e', CLIENT)
    this.#child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin.on('error', () => undefined)
    this.#child.stdout.on('data', (text: Buffer) => {
      this.#said += text.toString()
    })
  }

  async begun(): Promise<void> {
    await this.#says(/connected/)
  }

  /** Resolves when it hears answers again that were asked for from now on. */
  async goesOn(): Promise<void> {
    let heard = 0
    // What was heard before this question does not count.
    await this.#count()
    await eventually('the connection to go on', FOUND_MS, async (saw) => {
      heard += await this.#count()
      saw(heard)
      return heard > 10 ? true : undefined
    })
  }

  /** Answers that it has heard since it was asked last. */
  async #count(): Promise<number> {
    this.#said = ''
    this.#child.stdin.write('how many?\n')
    const [, heard] = await this.#says(/heard (\d+)/)
    return Number(heard)
  }

  /** Ends it; the longest time without an answer, ms. */
  async end(): Promise<number> {
    this.#child.stdin.write('end\n')
    const [, longest] = await this.#says(/longest (\d+)/)
    return Number(longest)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #says(what: RegExp): Promise<RegExpExecArray> {
    return eventually(`the client to say ${what}`, FOUND_MS, (saw) => {
      saw(this.#said)
      return what.exec(this.#said) ?? undefined
    })
  }
}

describe.skipIf(missing !== undefined)(`public networks with backup groups${why}`, () => {
  let lab: Lab
  let h1: LabHost
  let h2: LabHost
  let connection: Connection | undefined
  const gaps: string[] = []

  beforeAll(async () => {
    const workshop = inject('workshop')
    lab = await Lab.start({
      workshop,
      installation: join(workshop, 'haven'),
      name: 'pnm',
      networks: ['pub'],
      spare: true,
    })
    h1 = await lab.addHost('h1')
    h2 = await lab.addHost('h2')
    const directory = join(lab.shared, 'ha1')
    mkdirSync(directory)
    const group = { nafo0: { network: 'pub', adapters: ['pub', 'pub2'] } }
    await startCluster(lab, {
      // Nothing here is about lost hosts, and a busy machine must not make any.
      cluster: { name: 'e2e', timings: { guardMs: 8_000 }, budgets: { takeoversMax: 1_000 } },
      networks: { pub: { role: 'both', probeTargets: ['10.77.0.250'] } },
      physicalHosts: Object.fromEntries(
        [h1, h2].map((host) => [
          host.name,
          { interfaces: { pub: { adapter: 'pub', address: host.ipAddress } }, backupGroups: group },
        ]),
      ),
      diskGroups: { dg1: { directory } },
      logicalHosts: {
        ha1: {
          physicalHosts: ['h1', 'h2'],
          diskGroups: ['dg1'],
          addresses: [{ address: `${ADDRESS}/24`, adapters: 'nafo0' }],
        },
      },
    })
    for (const host of [h1, h2]) host.spawn(process.execPath, '-e', ECHO)
    await settled(lab, { ha1: 'h1' })
  })
  beforeEach(async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    await lab.healAll()
    await lab.switch.ip(['link set pub up'])
    await bringAllBack(lab)
    for (const host of [h1, h2]) await group(host, { state: 'ok', faulty: '' })
    await settled(lab, {})
    if (!(await addressesOn(h1)).some(({ address }) => address === ADDRESS)) await h1.haven('haswitch', 'h1', 'ha1')
    await settled(lab, { ha1: 'h1' })
  })
  afterAll(async () => {
    connection?.kill()
    await lab?.stop()
    console.log(`longest silence that a client's connection saw:\n${gaps.join('\n')}`)
  })

  async function addressesOn(
    host: LabHost,
  ): Promise<readonly { readonly adapter: string; readonly address: string }[]> {
    const links = JSON.parse(await host.exec('ip', '-json', '-4', 'addr')) as readonly {
      readonly ifname: string
      readonly addr_info: readonly { readonly local: string }[]
    }[]
    return links.flatMap(({ ifname, addr_info }) => addr_info.map(({ local }) => ({ adapter: ifname, address: local })))
  }

  /** The adapter that has an address on a host; undefined when none has. */
  async function carrier(host: LabHost, address: string): Promise<string | undefined> {
    return (await addressesOn(host)).find((one) => one.address === address)?.adapter
  }

  async function carriedBy(host: LabHost, address: string, adapter: string): Promise<void> {
    await eventually(`${address} to be on ${adapter} of ${host.name}`, FOUND_MS, async (saw) => {
      const seen = await addressesOn(host)
      saw(seen)
      return seen.some((one) => one.address === address && one.adapter === adapter) ? true : undefined
    })
  }

  /** Waits until a host says that of its group. */
  async function group(host: LabHost, wanted: Readonly<Record<string, string>>): Promise<void> {
    await eventually(`${host.name} to say ${JSON.stringify(wanted)} of nafo0`, FOUND_MS, async (saw) => {
      const { stdout } = await host.tryHaven('pnmstat', '--json')
      saw(stdout)
      const [seen] = (JSON.parse(stdout) as { readonly groups: readonly Readonly<Record<string, unknown>>[] }).groups
      return Object.entries(wanted).every(([field, value]) => String(seen?.[field]) === value) ? true : undefined
    })
  }

  async function connect(): Promise<Connection> {
    connection?.kill()
    connection = new Connection(lab)
    await connection.begun()
    await connection.goesOn()
    return connection
  }

  async function reconfigurations(): Promise<number> {
    return (await h2.api().status()).lastReconfiguration
  }

  it('moves the address to the other adapter when the cable of the first is pulled, and the connection goes on', async () => {
    const before = await reconfigurations()
    const other = (await carrier(h1, ADDRESS)) === 'pub' ? 'pub2' : 'pub'
    const going = await connect()
    await h1.cutAdapter(other === 'pub' ? 'pub2' : 'pub')
    await carriedBy(h1, ADDRESS, other)
    await carriedBy(h1, h1.ipAddress, other)
    await going.goesOn()
    gaps.push(`  ${await going.end()} ms: the cable of the active adapter was pulled`)
    // On this host, without a reconfiguration, and not back when the cable is in again.
    await h1.heal()
    await group(h1, { state: 'ok', faulty: '', active: other })
    expect(await reconfigurations()).toBe(before)
    expect(await carrier(h1, ADDRESS)).toBe(other)
  })

  it('finds an adapter that is dead although its link is up', async () => {
    const active = (await carrier(h1, ADDRESS)) ?? ''
    const other = active === 'pub' ? 'pub2' : 'pub'
    const going = await connect()
    await lab.switch.add({ kind: 'mute', port: `h1-${active}` })
    await lab.switch.add({ kind: 'deaf', port: `h1-${active}` })
    await carriedBy(h1, ADDRESS, other)
    await going.goesOn()
    gaps.push(`  ${await going.end()} ms: the active adapter went dead with its link up`)
    await group(h1, { state: 'ok', faulty: active })
    await settled(lab, { ha1: 'h1' })
  })

  it('moves the logical host when all adapters of its host have lost their link, and back when they have it again', async () => {
    await h1.cut('pub')
    await settled(lab, { ha1: 'h2' })
    await lab.client('ping', '-c', '1', '-W', '5', ADDRESS)
    expect((await lookAtHost(h1)).addresses).toEqual([])
    const [last] = (await h2.api().history({ last: 1 })).reconfigurations
    expect(last?.cause.kind).toBe('interface-failed')
    await h1.heal()
    await settled(lab, { ha1: 'h1' })
  })

  it('moves nothing when the network is down for everybody', async () => {
    const before = await reconfigurations()
    await lab.switch.ip(['link set pub down'])
    for (const host of [h1, h2]) await group(host, { state: 'network-down' })
    await lab.switch.ip(['link set pub up'])
    for (const host of [h1, h2]) await group(host, { state: 'ok' })
    expect(await reconfigurations()).toBe(before)
    await settled(lab, { ha1: 'h1' })
  })

  it('moves nothing when the switch of everybody loses its power', async () => {
    const before = await reconfigurations()
    await lab.breakNetwork('pub')
    for (const host of [h1, h2]) await group(host, { state: 'network-down' })
    await lab.healAll()
    for (const host of [h1, h2]) await group(host, { state: 'ok' })
    expect(await reconfigurations()).toBe(before)
  })

  it('leaves no address behind when clustd is killed after an adapter failed', async () => {
    const active = (await carrier(h1, ADDRESS)) ?? ''
    await h1.cutAdapter(active)
    await carriedBy(h1, ADDRESS, active === 'pub' ? 'pub2' : 'pub')
    await h1.exec('pkill', '-KILL', '-f', 'clustd --mode')
    await settled(lab, { ha1: 'h2' })
    expect(await carrier(h1, ADDRESS)).toBeUndefined()
    await h1.haven('scadmin', 'startnode')
    // A clustd that is started again finds the host's own addresses where they are.
    await group(h1, { active: active === 'pub' ? 'pub2' : 'pub' })
  })
})
