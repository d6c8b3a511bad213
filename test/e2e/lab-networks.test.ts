import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { ArpReferee } from './lab/arp-referee.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import type { LabNetwork } from './lab/network.ts'
import { programIn } from './lab/programs.ts'
import { overlaps, readMarks } from './lab/storage-referee.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
const LOOK_MS = 5_000

describe.skipIf(missing !== undefined)(`the lab with several networks${why}`, () => {
  let lab: Lab
  let h1: LabHost
  let h2: LabHost
  let h3: LabHost
  let witness: LabHost

  beforeAll(async () => {
    const workshop = inject('workshop')
    const networks = ['pub', 'priv1', 'priv2'] as const
    lab = await Lab.start({
      workshop,
      installation: join(workshop, 'haven'),
      name: 'nets',
      networks,
      spare: true,
      clocks: true,
    })
    h1 = await lab.addHost('h1')
    h2 = await lab.addHost('h2')
    h3 = await lab.addHost('h3')
    witness = await lab.addHost('witness', { isWitness: true })
  })
  beforeEach(async () => {
    await lab.healAll()
    await eventually('every machine to reach every other', LOOK_MS, async (saw) => {
      const cut = await unreached()
      saw(cut)
      return cut.length === 0 ? true : undefined
    })
  })
  afterAll(() => lab?.stop())

  /** Whether a ping on this network comes back. */
  async function reaches(from: LabHost, to: LabHost, network: LabNetwork): Promise<boolean> {
    return (await from.try('ping', '-c', '1', '-W', '0.3', '-q', to.addressOn(network))).exitCode === 0
  }

  /** Who reaches whom over which network, as `h1>h2 priv1`, of those that cannot. */
  async function unreached(): Promise<readonly string[]> {
    const hosts = [h1, h2, h3, witness]
    const all = hosts.flatMap((from) =>
      hosts
        .filter((to) => to !== from)
        .flatMap((to) =>
          lab.switch.networks.map((network) => ({ from, to, network, isThere: reaches(from, to, network) })),
        ),
    )
    const seen = await Promise.all(all.map(async (one) => ({ ...one, isThere: await one.isThere })))
    return seen.filter(({ isThere }) => !isThere).map(({ from, to, network }) => `${from.name}>${to.name} ${network}`)
  }

  it('has an adapter that stands by', async () => {
    expect(await h1.exec('ip', '-br', 'link', 'show', 'pub2')).toMatch(/UP/)
  })

  it('cuts one network of a host, which sees it', async () => {
    await h1.cut('priv1')
    expect(await h1.exec('ip', '-br', 'link', 'show', 'priv1')).toMatch(/LOWERLAYERDOWN|DOWN/)
    const cut = await unreached()
    expect(cut.filter((one) => !/h1.* priv1$/.test(one))).toEqual([])
    expect(cut).toContain('h2>h1 priv1')
  })

  it('cuts a host off from everything, and a network for everybody', async () => {
    await h3.cut()
    await lab.breakNetwork('priv2')
    const cut = await unreached()
    expect(cut.filter((one) => !/h3|priv2$/.test(one))).toEqual([])
    expect(cut).toContain('h1>witness priv2')
    expect(cut).toContain('witness>h3 pub')
  })

  it.each(['mute', 'deafen'] as const)('can %s a host on one network, whose link stays up', async (deed) => {
    await h1[deed]('priv1')
    expect(await h1.exec('ip', '-br', 'link', 'show', 'priv1')).toMatch(/ UP /)
    expect(await reaches(h1, h2, 'priv1')).toBe(false)
    expect(await reaches(h1, h2, 'priv2')).toBe(true)
    const [from, to] = deed === 'mute' ? [h1, h2] : [h2, h1]
    // What it sends, or what is sent to it, does not arrive; the other way it does.
    expect(await arrives(from, to)).toBe(false)
    expect(await arrives(to, from)).toBe(true)
  })

  it('parts a network in two', async () => {
    await lab.part([h1], [h2, h3], ['priv1'])
    expect((await unreached()).toSorted()).toEqual(['h1>h2 priv1', 'h1>h3 priv1', 'h2>h1 priv1', 'h3>h1 priv1'])
  })

  it('loses some frames, and not the others', async () => {
    // Both know each other's hardware by now: what is lost is not a question for it.
    await lab.lose(20, ['priv1'])
    const { stdout } = await h1.try('ping', '-c', '200', '-i', '0.002', '-W', '0.1', '-q', h2.addressOn('priv1'))
    const received = Number(/(\d+) received/.exec(stdout)?.[1])
    expect(received).toBeGreaterThan(80)
    expect(received).toBeLessThan(180)
    expect(await reaches(h1, h2, 'priv2')).toBe(true)
  })

  it('freezes a host with all that it does, and thaws it', async () => {
    const file = join(lab.shared, 'frozen.marks')
    h2.spawn(programIn(inject('workshop'), 'marker'), file, 'h2')
    await eventually('marks', LOOK_MS, () => (readMarks(file).length > 0 ? true : undefined))
    await h2.freeze()
    const before = readMarks(file)
    expect(await reaches(h1, h2, 'pub')).toBe(false)
    expect(readMarks(file)).toEqual(before)
    await h2.thaw()
    await eventually('more marks', LOOK_MS, () => (readMarks(file)[0]?.last !== before[0]?.last ? true : undefined))
    expect(await reaches(h1, h2, 'pub')).toBe(true)
  })

  it('sets the wall clock of one host, for programs that run already too', async () => {
    const clock = async (host: LabHost): Promise<number> => Number(await host.exec('date', '+%s'))
    const away = async (): Promise<number> => Math.round(((await clock(h1)) - (await clock(h2))) / 100)
    expect(await away()).toBe(0)
    h1.setClock(3_600)
    expect(await away()).toBe(36)
    const program = 'setInterval(() => { if (Date.now() < PAST) process.exit(3) }, 5)'.replace(
      'PAST',
      String(Date.parse('2000-01-01')),
    )
    const running = h1.try(process.execPath, '-e', program)
    h1.setClock(-2_000_000_000)
    expect((await running).exitCode).toBe(3)
    h1.setClock(0)
    expect(await away()).toBe(0)
  })

  it('has a referee who sees two hosts with one address', async () => {
    const referee = await new ArpReferee(lab, ['10.77.0.150']).ready()
    try {
      await h1.exec('ip', 'address', 'add', '10.77.0.150/24', 'dev', 'pub')
      const heard = (host: LabHost): Promise<true> =>
        eventually(`the answer of ${host.name}`, LOOK_MS, (saw) => {
          saw(referee.claims.slice(-5))
          return referee.claims.some(({ hardware }) => hardware === host.hardwareAddress) ? true : undefined
        })
      await heard(h1)
      await h1.exec('ip', 'address', 'del', '10.77.0.150/24', 'dev', 'pub')
      await h2.exec('ip', 'address', 'add', '10.77.0.150/24', 'dev', 'pub')
      await heard(h2)
      expect(referee.violations()).toEqual([])
      await h3.exec('ip', 'address', 'add', '10.77.0.150/24', 'dev', 'pub')
      await eventually('a violation', LOOK_MS, () => (referee.violations().length > 0 ? true : undefined))
    } finally {
      await referee.stop()
    }
  })

  it('has a referee who sees two hosts that write to one disk', async () => {
    const file = join(lab.shared, 'double.marks')
    const mark = (host: LabHost): Promise<true> => {
      host.spawn(programIn(inject('workshop'), 'marker'), file, host.name)
      return eventually(`marks of ${host.name}`, LOOK_MS, () =>
        readMarks(file).some((life) => life.host === host.name) ? true : undefined,
      )
    }
    await mark(h1)
    await h1.exec('pkill', 'marker')
    await mark(h2)
    expect(overlaps(readMarks(file))).toEqual([])
    await mark(h3)
    await eventually('an overlap', LOOK_MS, () => (overlaps(readMarks(file)).length > 0 ? true : undefined))
  })

  /** Whether a datagram from one host gets to another over priv1, whatever becomes of an answer. */
  async function arrives(from: LabHost, to: LabHost): Promise<boolean> {
    const port = from === h1 ? '7001' : '7002'
    const listener = to.try('timeout', '3', 'perl', '-e', LISTEN, to.addressOn('priv1'), port)
    await eventually('a listener', LOOK_MS, async () =>
      (await to.exec('cat', '/proc/net/udp')).includes(`:${Number(port).toString(16).toUpperCase()} `)
        ? true
        : undefined,
    )
    // Without ARP, which needs both ways.
    const hardware = JSON.parse(await to.exec('ip', '-json', 'link', 'show', 'priv1'))[0].address as string
    await from.exec('ip', 'neigh', 'replace', to.addressOn('priv1'), 'lladdr', hardware, 'dev', 'priv1')
    await from.exec('perl', '-e', SEND, to.addressOn('priv1'), port)
    await from.exec('ip', 'neigh', 'del', to.addressOn('priv1'), 'dev', 'priv1')
    return (await listener).exitCode === 0
  }
})

const SOCKET =
  'use Socket; socket(S, PF_INET, SOCK_DGRAM, 0) or die; my $place = pack_sockaddr_in($ARGV[1], inet_aton($ARGV[0]));'
const LISTEN = `${SOCKET} bind(S, $place) or die; recv(S, my $text, 10, 0)`
const SEND = `${SOCKET} send(S, "hello", 0, $place) or die for 1 .. 3`
