import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TimelineJson } from '../../src/framework/api/wire.ts'
import { PROFILES } from '../../src/framework/membership/check-timings.ts'
import { anyMember, type ClusterFile, isMember, settled, startClusterOnEtcd } from '../../test/e2e/lab/cluster.ts'
import { makeImage } from '../../test/e2e/lab/disk-image.ts'
import { Lab } from '../../test/e2e/lab/lab.ts'
import { ETCD_TUNINGS, LabEtcd } from '../../test/e2e/lab/lab-etcd.ts'
import type { LabHost } from '../../test/e2e/lab/lab-host.ts'
import { PowerDesk } from '../../test/e2e/lab/power-desk.ts'
import { compilePrograms, programIn } from '../../test/e2e/lab/programs.ts'
import { storyOf } from '../../test/e2e/lab/story.ts'
import type { BenchContext } from '../benchmark.ts'
import { pause } from '../timing.ts'
import { Answers } from './answers.ts'

/** What is measured on. */
export interface TakeoverShape {
  readonly name: string
  readonly timings: 'default' | 'fast'
  readonly logicalHosts: number
  readonly servicesEach: number
  /** What each logical host keeps its data on. */
  readonly disks: 'ext4' | 'directory'
  readonly isFenced: boolean
}

const HOSTS = ['h1', 'h2', 'h3'] as const
const PORT = 9000
/** The expiry of the timings `relaxed`, and some more. */
const FIRST_TIMINGS_MS = 7_000

/** Three hosts with an etcd member each, on a public and two private networks, and a client that asks every service every 2 ms. */
export class TakeoverLab {
  readonly lab: Lab
  readonly etcd: LabEtcd
  readonly answers: Answers
  readonly #shape: TakeoverShape
  readonly #desk: PowerDesk | undefined

  private constructor(parts: {
    lab: Lab
    etcd: LabEtcd
    answers: Answers
    shape: TakeoverShape
    desk: PowerDesk | undefined
  }) {
    this.lab = parts.lab
    this.etcd = parts.etcd
    this.answers = parts.answers
    this.#shape = parts.shape
    this.#desk = parts.desk
  }

  static async start({ workshop, installation }: BenchContext, shape: TakeoverShape): Promise<TakeoverLab> {
    if (!existsSync(join(workshop, 'lab'))) compilePrograms(workshop)
    const networks = ['pub', 'priv1', 'priv2'] as const
    const lab = await Lab.start({ workshop, installation: installation.directory, name: shape.name, networks })
    try {
      for (const host of HOSTS) await lab.addHost(host)
      const desk = shape.isFenced ? await PowerDesk.open(lab) : undefined
      const etcd = new LabEtcd(lab.machines, ETCD_TUNINGS[shape.timings])
      const disks = Array.from({ length: shape.logicalHosts }, (_, index) => makeDisk(lab, shape, index))
      await Promise.all([etcd.start(), ...disks])
      await startClusterOnEtcd(lab, etcd.place, clusterOf(lab, workshop, shape, desk))
      const places = Array.from({ length: shape.logicalHosts }, (_, index) => ({
        address: addressOf(index),
        port: PORT + 1,
      }))
      const answers = new Answers(lab, workshop, places)
      await answers.ready()
      const started = new TakeoverLab({ lab, etcd, answers, shape, desk })
      await started.untilAt('h1')
      // A cluster on an etcd of unknown tuning begins with longer timings, and what was allowed by them has to run out first.
      await pause(FIRST_TIMINGS_MS)
      return started
    } catch (error) {
      console.error(storyOf(lab))
      await lab.stop()
      throw error
    }
  }

  /** All logical hosts, each with this master. */
  mastersAt(host: string): Readonly<Record<string, string>> {
    return Object.fromEntries(Array.from({ length: this.#shape.logicalHosts }, (_, index) => [nameOf(index), host]))
  }

  /** Waits until this host masters all and nothing is under way. */
  untilAt(host: string): Promise<void> {
    return settled(this.lab, this.mastersAt(host), 60_000)
  }

  /** Who masters the first logical host. */
  async master(): Promise<LabHost> {
    const { logicalHosts } = await (await anyMember(this.lab)).api().status()
    return this.lab.host(logicalHosts[0]?.master ?? '')
  }

  /** Who takes over from a host: the next in order that is a member. */
  nextAfter({ name }: LabHost): LabHost {
    return this.lab.host(name === HOSTS[0] ? HOSTS[1] : HOSTS[0])
  }

  /** Switches on and joins what is off; what has just joined waits its time before it may take over, and so do we. */
  async bringAllBack(): Promise<void> {
    let hasJoined = false
    for (const host of this.lab.hosts.values()) {
      await host.boot()
      await this.etcd.start()
      if (await isMember(host)) continue
      await host.haven('scadmin', 'startnode', 'e2e')
      hasJoined = true
    }
    await settled(this.lab, {}, 60_000)
    const { guardMs, abortMs, marginMs } = PROFILES[this.#shape.timings]
    if (hasJoined) await pause(guardMs + abortMs + marginMs + 500)
  }

  /** The timelines of what has happened after this reconfiguration. */
  async timelinesAfter(number: number): Promise<readonly TimelineJson[]> {
    const api = (await anyMember(this.lab)).api()
    const last = (await api.status()).lastReconfiguration
    return Promise.all(Array.from({ length: last - number }, (_, index) => api.timeline(number + 1 + index)))
  }

  /** Pids, as the machine sees them, of the processes of a host whose command line is so. */
  processesOf(host: LabHost, words: RegExp): readonly number[] {
    const namespace = readlinkSync(`/proc/${host.pid}/ns/pid`)
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && isIn(namespace, pid) && words.test(commandLine(pid)))
  }

  async lastReconfiguration(): Promise<number> {
    return (await (await anyMember(this.lab)).api().status()).lastReconfiguration
  }

  async stop(): Promise<void> {
    await this.answers.stop()
    await this.#desk?.close()
    await this.lab.stop()
  }
}

/** Runs work with a lab, which is gone afterwards however that ended. */
export async function withTakeoverLab<Value>(
  context: BenchContext,
  shape: TakeoverShape,
  work: (lab: TakeoverLab) => Promise<Value>,
): Promise<Value> {
  const lab = await TakeoverLab.start(context, shape)
  try {
    return await work(lab)
  } catch (error) {
    console.error(storyOf(lab.lab))
    throw error
  } finally {
    await lab.stop()
  }
}

function isIn(namespace: string, pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === namespace
  } catch {
    return false // It has ended.
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // It has ended.
  }
}

function nameOf(index: number): string {
  return `lh${index + 1}`
}

function addressOf(index: number): string {
  return `10.77.0.${101 + index}`
}

function diskOf(lab: Lab, index: number): string {
  return join(lab.shared, `disk-${index + 1}`)
}

async function makeDisk(lab: Lab, { disks }: TakeoverShape, index: number): Promise<void> {
  if (disks === 'directory') mkdirSync(diskOf(lab, index))
  else await makeImage(diskOf(lab, index), 'ext4', ':')
}

function clusterOf(lab: Lab, workshop: string, shape: TakeoverShape, desk: PowerDesk | undefined): ClusterFile {
  const numbers = Array.from({ length: shape.logicalHosts }, (_, index) => index)
  const [start, stop] = makeMethods(lab, workshop)
  const diskGroup = (index: number): object => {
    const path = diskOf(lab, index)
    return shape.disks === 'directory' ? { directory: path } : { filesystems: [{ device: path, type: 'ext4' }] }
  }
  const services = numbers.flatMap((index) =>
    Array.from({ length: shape.servicesEach }, (_, number) => [
      `s-${index + 1}-${number + 1}`,
      { state: 'on', logicalHosts: [nameOf(index)], methods: { START_NET: start, STOP_NET: stop } },
    ]),
  )
  return {
    cluster: {
      name: 'e2e',
      timings: PROFILES[shape.timings],
      budgets: { takeoversMax: 1_000, evictionsMax: 1_000 },
      ...(desk && { fencing: { shareMax: 1, windowMs: 60_000, delayMs: 0, statusEveryMs: 0 } }),
    },
    ...(desk && fencePartsOf(desk)),
    diskGroups: Object.fromEntries(numbers.map((index) => [`dg${index + 1}`, diskGroup(index)])),
    logicalHosts: Object.fromEntries(
      numbers.map((index) => [
        nameOf(index),
        {
          physicalHosts: HOSTS,
          diskGroups: [`dg${index + 1}`],
          addresses: [{ address: `${addressOf(index)}/24`, adapters: 'pub' }],
          switchback: 'manual',
        },
      ]),
    ),
    dataServices: Object.fromEntries(services),
  }
}

/** A service that is up at once, so that what is measured is Haven: it answers datagrams on the logical address, at a port of its own number. */
function makeMethods(lab: Lab, workshop: string): readonly [string, string] {
  const write = (name: string, text: string): string => {
    const path = join(lab.shared, name)
    writeFileSync(path, text)
    chmodSync(path, 0o755)
    return path
  }
  return [write('start-net', startNet(programIn(workshop, 'answer'))), write('stop-net', STOP_NET)]
}

const NUMBERS = `host=\${HA_LOGICAL_HOST#lh} service=\${HA_SERVICE##*-}
pid=/run/haven-bench-$HA_SERVICE.pid`

const startNet = (program: string): string => `#!/bin/sh
case ",$1," in *",$HA_LOGICAL_HOST,"*) ;; *) exit 0 ;; esac
${NUMBERS}
[ ! -e "$pid" ] || exit 0
setsid ${program} 10.77.0.$((100 + host)) $((${PORT} + service)) "$HA_PHYSICAL_HOST" </dev/null >/dev/null 2>&1 &
echo $! >"$pid"
`

const STOP_NET = `#!/bin/sh
case ",$1," in *",$HA_LOGICAL_HOST,"*) exit 0 ;; esac
${NUMBERS}
[ -e "$pid" ] || exit 0
read -r process <"$pid"
kill -9 "$process"
rm "$pid"
`

/** What of a cluster file makes the hosts fence each other by the desk. */
function fencePartsOf({ program }: PowerDesk): object {
  return {
    fenceDevices: { bmc: { agent: 'command', program, hosts: HOSTS } },
    physicalHosts: Object.fromEntries(HOSTS.map((host) => [host, { fenceLevels: [['bmc']] }])),
  }
}
