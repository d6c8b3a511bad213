import { eventually } from '../../eventually.ts'
import type { LabHost } from './lab-host.ts'
import type { LabNetwork } from './network.ts'

/** How an etcd is tuned. */
export interface EtcdTuning {
  readonly heartbeatMs: number
  readonly electionMs: number
}

/** For the `default` timings of Haven, and for the `fast` ones. */
export const ETCD_TUNINGS = {
  default: { heartbeatMs: 50, electionMs: 500 },
  fast: { heartbeatMs: 20, electionMs: 200 },
} as const satisfies Readonly<Record<string, EtcdTuning>>

/** A start, an election, and a machine that is busy with other things. */
const START_MS = 30_000
/** etcd keeps its own over the private networks; it uses another one when the first falls silent. */
const NETWORKS: readonly LabNetwork[] = ['priv1', 'priv2']
const CLIENT_PORT = 2379
const PEER_PORT = 2380
/** What a small disk of its own has room for: the write-ahead log of etcd alone is 64 MB, made in advance, twice. */
const SMALL_DISK_MB = 160

/** An etcd that is none of Haven's business: one process on each of some machines of a lab, with its data on the machine's disk. */
export class LabEtcd {
  readonly #machines: readonly LabHost[]
  readonly #tuning: EtcdTuning

  constructor(machines: readonly LabHost[], tuning: EtcdTuning) {
    this.#machines = machines
    this.#tuning = tuning
  }

  /** What `scadmin setup --database` takes. */
  get place(): string {
    const places = NETWORKS.flatMap((network) => this.#machines.map((machine) => machine.addressOn(network)))
    return `etcd://${places.map((address) => `${address}:${CLIENT_PORT}`).join(',')}`
  }

  /** Starts it wherever the machine is on and it does not run; resolves when it answers and has a leader. */
  async start(): Promise<void> {
    const on = this.#machines.filter(({ isOn }) => isOn)
    for (const machine of on) if ((await this.pidOn(machine)) === undefined) this.#spawn(machine)
    await eventually('etcd to have a leader', START_MS, () => this.leader())
  }

  /** Its pid on a machine, as that sees it; undefined = it does not run there. */
  async pidOn(machine: LabHost): Promise<number | undefined> {
    const { stdout } = await machine.try('pgrep', '-o', '-x', 'etcd')
    const pid = Number(stdout.trim())
    return pid > 0 ? pid : undefined
  }

  /** The machine that leads; undefined = none that says so. */
  async leader(): Promise<LabHost | undefined> {
    for (const machine of this.#machines.filter(({ isOn }) => isOn)) {
      const { stdout } = await machine.try(
        'timeout',
        '1',
        'etcdctl',
        `--endpoints=${LOOPBACK}`,
        'endpoint',
        'status',
        '-w',
        'json',
      )
      const ids = idsIn(stdout)
      if (ids !== undefined && ids.leader === ids.own) return machine
    }
    return undefined
  }

  /** Makes a machine the leader. */
  async lead(machine: LabHost): Promise<void> {
    await eventually(`${machine.name} to lead etcd`, START_MS, async () => {
      const leader = await this.leader()
      if (leader === machine) return true
      const ids = idsIn(await this.#ctl(machine, 'endpoint', 'status', '-w', 'json'))
      if (leader !== undefined && ids !== undefined) await this.#ctl(leader, 'move-leader', ids.own.toString(16))
      return undefined
    })
  }

  /** Sends a signal to it on a machine. */
  async signal(machine: LabHost, signal: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
    const pid = await this.pidOn(machine)
    if (pid !== undefined) await machine.exec('kill', `-${signal}`, String(pid))
  }

  /** Gives the machine a small disk for it, before it is started there for the first time. It lasts until the machine loses its power. */
  static async giveSmallDisk(machine: LabHost): Promise<void> {
    const place = dataOf(machine)
    await machine.exec('mkdir', '-p', place)
    await machine.exec('mount', '-t', 'tmpfs', '-o', `size=${SMALL_DISK_MB}m,mode=700`, 'tmpfs', place)
  }

  /** Fills the small disk up, and writes until etcd has no room left there in the files that it made in advance; then it ends. */
  async fillDisk(machine: LabHost): Promise<void> {
    await machine.try('dd', 'if=/dev/zero', `of=${dataOf(machine)}/full`, 'bs=4096')
    await machine.exec('sh', '-c', FILL, 'fill', LOOPBACK)
    await eventually(`etcd on ${machine.name} to end`, START_MS, async () =>
      (await this.pidOn(machine)) === undefined ? true : undefined,
    )
  }

  /** Makes room again. */
  async freeDisk(machine: LabHost): Promise<void> {
    await machine.exec('rm', '-f', `${dataOf(machine)}/full`)
  }

  #spawn(machine: LabHost): void {
    const urls = (port: number): string =>
      NETWORKS.map((network) => `http://${machine.addressOn(network)}:${port}`).join(',')
    const cluster = this.#machines.flatMap((each) =>
      NETWORKS.map((network) => `${each.name}=http://${each.addressOn(network)}:${PEER_PORT}`),
    )
    const words = [
      ...['--name', machine.name, '--data-dir', `${dataOf(machine)}/data`, '--log-level', 'warn'],
      ...['--listen-client-urls', `${urls(CLIENT_PORT)},${LOOPBACK}`, '--advertise-client-urls', urls(CLIENT_PORT)],
      ...['--listen-peer-urls', urls(PEER_PORT), '--initial-advertise-peer-urls', urls(PEER_PORT)],
      ...['--initial-cluster', cluster.join(','), '--initial-cluster-state', 'new'],
      // A machine that was cut off must not bring the leader down when it comes back; newer versions do so without being told.
      '--pre-vote',
      // Many logical hosts are configured, and move, in one commit.
      ...['--max-txn-ops', '4096'],
      ...[
        '--heartbeat-interval',
        String(this.#tuning.heartbeatMs),
        '--election-timeout',
        String(this.#tuning.electionMs),
      ],
    ]
    machine.spawn('sh', '-c', 'log=$1; shift; exec etcd "$@" >>"$log" 2>&1', 'sh', `${dataOf(machine)}.log`, ...words)
  }

  #ctl(machine: LabHost, ...words: readonly string[]): Promise<string> {
    return machine.exec('etcdctl', `--endpoints=${LOOPBACK}`, ...words)
  }
}

// At most what the small disk has, in pieces that etcd accepts; the last ones are refused.
const FILL = `
piece=$(head -c 1000000 /dev/zero | tr '\\0' x)
for try in $(seq ${SMALL_DISK_MB}); do
  echo "$piece" | timeout 2 etcdctl --endpoints="$1" put filler >/dev/null 2>&1 || exit 0
done
exit 1`

const LOOPBACK = `http://127.0.0.1:${CLIENT_PORT}`

function dataOf(machine: LabHost): string {
  return `${machine.root}/etcd`
}

/** Reads the ids out of the answer of etcdctl. They have 64 bits: too many for JSON.parse. */
function idsIn(text: string): { readonly own: bigint; readonly leader: bigint } | undefined {
  const own = /"member_id":(\d+)/.exec(text)?.[1]
  const leader = /"leader":(\d+)/.exec(text)?.[1]
  return own === undefined || leader === undefined ? undefined : { own: BigInt(own), leader: BigInt(leader) }
}
