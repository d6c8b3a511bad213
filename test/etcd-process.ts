import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { eventually } from './eventually.ts'

/** How etcd is started for a test. */
export interface EtcdOptions {
  /** How many members; each is a process with an address and a directory of its own. Default: 1. */
  readonly members?: number
  /** Milliseconds of `--heartbeat-interval` and `--election-timeout`. Default: 10 and 100, so that nobody waits for an election. */
  readonly heartbeatMs?: number
  readonly electionMs?: number
  /** Absolute paths of PEM files: members serve clients by TLS and want a client certificate. The server's certificate must hold all addresses. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string }
  /** First three numbers of the members' loopback addresses, such as `127.7.7`; the last is 1, 2, ... Default: by chance. For certificates that name them. */
  readonly network?: string
  /** Keeps what was written over the loss of power, as in production; else etcd does without fsync. Default: false. */
  readonly isDurable?: boolean
  /** Further flags of etcd. */
  readonly flags?: readonly string[]
}

/** Which program is missing for tests with an etcd; undefined = none. For `describe.skipIf(missingEtcd !== undefined)`. */
export const missingEtcd: string | undefined = ['etcd', 'etcdctl'].find(
  (program) => !(process.env['PATH'] ?? '').split(delimiter).some((directory) => existsSync(join(directory, program))),
)

/** A slow machine with other tests on it starts three members in less. */
const START_MS_MAX = 15_000

/** Children that are still there when the test process ends are killed with it: by their own ids, never by name. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** One member of an etcd: a process that can be killed, frozen and started again. Its data stays until the cluster ends. */
export class EtcdMember {
  readonly name: string
  /** `http://127.a.b.c:2379`, or https. */
  readonly endpoint: string
  readonly #words: readonly string[]
  readonly #logFile: string
  readonly #metrics: string
  #child: ChildProcess | undefined

  constructor(options: { name: string; endpoint: string; metrics: string; words: readonly string[]; logFile: string }) {
    this.name = options.name
    this.endpoint = options.endpoint
    this.#metrics = options.metrics
    this.#words = options.words
    this.#logFile = options.logFile
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the process. It is of use once `isHealthy` (which needs a majority). */
  spawn(): void {
    const log = openSync(this.#logFile, 'a')
    // Not ETCD_* of whoever runs the tests: etcd takes them as flags.
    const env = { PATH: process.env['PATH'] }
    const child = spawn('etcd', [...this.#words], { stdio: ['ignore', log, log], env })
    closeSync(log)
    running.add(child)
    child.once('exit', () => running.delete(child))
    this.#child = child
  }

  /** Starts it again after `kill`, and waits until it takes part. */
  async start(): Promise<void> {
    this.spawn()
    await this.healthy()
  }

  /** Waits until it answers and knows a leader. */
  async healthy(): Promise<void> {
    await eventually(`etcd ${this.name} to be healthy`, START_MS_MAX, async (saw) => {
      saw(readFileSync(this.#logFile, 'utf8').slice(-2000))
      return (await this.#ask('health')).includes('"true"') ? true : undefined
    })
  }

  /** Whether it says of itself that it is the leader. */
  async isLeader(): Promise<boolean> {
    return /^etcd_server_is_leader 1$/m.test(await this.#ask('metrics'))
  }

  /** Bytes of its database file, and of those the used ones. */
  async databaseBytes(): Promise<{ readonly file: number; readonly inUse: number }> {
    const text = await this.#ask('metrics')
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    return {
      file: value('etcd_mvcc_db_total_size_in_bytes'),
      inUse: value('etcd_mvcc_db_total_size_in_use_in_bytes'),
    }
  }

  /** SIGKILL: what a loss of power is to everybody else. Resolves when the process is gone; may be repeated. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  /** SIGSTOP: connections stay open, and nothing is answered. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  /** SIGCONT: it goes on where it was. */
  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async #ask(path: string): Promise<string> {
    const answer = await fetch(`${this.#metrics}/${path}`, { signal: AbortSignal.timeout(1000) })
    return answer.text()
  }
}

/**
 * A real etcd of one or several members on loopback, for one test file or one test: `const etcd = await startEtcd({ members: 3 })`, then `etcd.endpoints`, `etcd.members[0].kill()`,
 * `.freeze()`, `.thaw()`, `.start()`, `await etcd.leader()`, and `await etcd.end()` in `afterAll`. Every cluster has loopback addresses of its own (127.a.b.1, ...), so that no
 * two ever want the same port, and a directory of its own that `end` removes. Only processes that were started here are ended, by their ids.
 */
export class EtcdCluster {
  readonly members: readonly EtcdMember[]
  readonly directory: string

  constructor(members: readonly EtcdMember[], directory: string) {
    this.members = members
    this.directory = directory
  }

  /** One `http://host:port` for each member. */
  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint)
  }

  /** Finds the member that leads; frozen and killed ones are no longer asked. */
  async leader(): Promise<EtcdMember> {
    return eventually('etcd to have a leader', START_MS_MAX, async () => {
      const leads = await Promise.all(this.members.map((member) => member.isLeader().catch(() => false)))
      return this.members[leads.indexOf(true)]
    })
  }

  /** Kills all members and removes their data. May be repeated. */
  async end(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()))
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Starts an etcd and waits until every member is healthy. */
export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'haven-etcd-'))
  const network = options.network ?? `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
  const count = options.members ?? 1
  const names = Array.from({ length: count }, (_, index) => `m${index + 1}`)
  const peers = names.map((name, index) => `${name}=http://${network}.${index + 1}:2380`).join(',')
  const members = names.map((name, index) => {
    const address = `${network}.${index + 1}`
    const endpoint = `${options.tls === undefined ? 'http' : 'https'}://${address}:2379`
    const metrics = `http://${address}:2381`
    const words = [
      ...['--name', name, '--data-dir', join(directory, name), '--logger', 'zap'],
      ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
      ...['--listen-peer-urls', `http://${address}:2380`, '--initial-advertise-peer-urls', `http://${address}:2380`],
      ...['--initial-cluster', peers, '--initial-cluster-token', network, '--listen-metrics-urls', metrics],
      ...['--heartbeat-interval', `${options.heartbeatMs ?? 10}`, '--election-timeout', `${options.electionMs ?? 100}`],
      ...(options.isDurable === true ? [] : ['--unsafe-no-fsync']),
      ...tlsWords(options.tls),
      ...(options.flags ?? []),
    ]
    return new EtcdMember({ name, endpoint, metrics, words, logFile: join(directory, `${name}.log`) })
  })
  const cluster = new EtcdCluster(members, directory)
  try {
    for (const member of members) member.spawn()
    await Promise.all(members.map((member) => member.healthy()))
    return cluster
  } catch (error) {
    await cluster.end()
    throw error
  }
}

function tlsWords(tls: EtcdOptions['tls']): readonly string[] {
  if (tls === undefined) return []
  return ['--cert-file', tls.certificate, '--key-file', tls.key, '--trusted-ca-file', tls.ca, '--client-cert-auth']
}
