import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundleOptions } from '../../../scripts/bundle-options.mjs'
import { OwnershipMark } from '../../../src/framework/drivers/ownership-mark.ts'
import { type GuardPlaces, guardPlaces, LineFile } from '../../../src/framework/failfast/guard-files.ts'
import type { GuardAck, GuardOrders, ProcessIdentity } from '../../../src/framework/failfast/guard-orders.ts'
import { conditionOf } from '../../../src/framework/failfast/guard-process.ts'
import type { Timings } from '../../../src/framework/model/cluster-config.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import type { Holding } from '../../../src/framework/ports/guard.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { isAlive, readProcess, signalProcess } from '../../../src/methods/proc.ts'
import { createMethodRunner } from '../../../src/methods/run-method.ts'
import { eventually } from '../../eventually.ts'
import type { ActingOptions, Reply, Request } from './acting-clustd.ts'

/** A bound for a slow and busy machine. */
export const WITHIN_MS = 15_000

/** The programs that the tests run, bundled as the build does it. */
export interface Programs {
  readonly directory: string
  readonly clustd: string
  readonly failfastd: string
}

/** Bundles failfastd and the acting clustd into a new directory; the caller removes it. */
export async function bundlePrograms(): Promise<Programs> {
  const directory = await mkdtemp(join(tmpdir(), 'haven-guard-'))
  const entryPoints = { clustd: 'test/unit/failfast/acting-clustd.ts', failfastd: 'src/framework/failfast/main.ts' }
  await build({ ...bundleOptions, entryPoints, outdir: directory })
  return { directory, clustd: join(directory, 'clustd.mjs'), failfastd: join(directory, 'failfastd.mjs') }
}

/** An acting clustd that runs. */
export interface Acting {
  readonly child: ChildProcess
  readonly identity: ProcessIdentity
  /** Resolves with what it answers; rejects with its error. */
  ask(request: Request): Promise<unknown>
}

let hosts = 0

/** One physical host with a logical host `ha1` to guard: a directory, an address, a service that leaves a daemon behind. */
export class GuardedHost {
  readonly places: GuardPlaces
  readonly root: string
  private readonly programs: Programs
  private readonly acting: Acting[] = []
  private readonly cluster = `guard-test-${process.pid}-${++hosts}`
  /** Whatever was started and might still be there. */
  private readonly seen = new Map<number, ProcessIdentity>()

  private constructor(programs: Programs, root: string) {
    this.programs = programs
    this.root = root
    this.places = guardPlaces(root)
  }

  static async create(programs: Programs): Promise<GuardedHost> {
    const host = new GuardedHost(programs, await mkdtemp(join(programs.directory, 'host-')))
    await mkdir(join(host.root, 'data'))
    await writeFile(host.method, host.methodText(), { mode: 0o755 })
    return host
  }

  /** Starts an acting clustd. */
  start(timings: Timings, rebootCommand: readonly string[] = []): Acting {
    const options: ActingOptions = {
      root: this.root,
      cluster: this.cluster,
      physicalHost: 'alpha',
      program: this.programs.failfastd,
      timings,
      rebootCommand,
    }
    const output = process.env['HAVEN_TEST_OUTPUT'] === undefined ? 'ignore' : 'inherit'
    const child = fork(this.programs.clustd, [JSON.stringify(options)], {
      stdio: ['ignore', output, output, 'ipc'],
      env: { ...process.env, TMPDIR: this.root },
      execArgv: [],
    })
    const identity = identityOf(child.pid ?? 0)
    this.remember(identity)
    const acting = { child, identity, ask: (request: Request) => ask(child, request) }
    this.acting.push(acting)
    return acting
  }

  /**
   * Starts one that masters `ha1` and is guarded. The guard is armed last: on a busy machine it may fire at any moment from then on, and should find
   * everything to stop.
   */
  async startMaster(timings: Timings, rebootCommand: readonly string[] = []): Promise<Acting> {
    const acting = this.start(timings, rebootCommand)
    await writeFile(join(this.root, 'clustd.pid'), String(acting.identity.pid))
    await acting.ask({ kind: 'take-on', holding: this.holding(), start: this.method })
    this.remember(identityOf(Number(readFileSync(join(this.root, 'daemon.pid'), 'utf8'))))
    await acting.ask({ kind: 'arm' })
    return acting
  }

  holding(): Holding {
    const method = { program: this.method, timeoutMs: 10_000 }
    const ha1 = parseName('logicalHost', 'ha1')
    return {
      logicalHost: ha1,
      reconfiguration: 1,
      generation: 1,
      pathPrefix: '/ha1',
      services: [
        {
          name: parseName('dataService', 'web'),
          logicalHosts: [ha1, parseName('logicalHost', 'ha2')],
          abortNet: method,
          abort: method,
        },
      ],
      addresses: [{ address: { kind: 'local', address: '127.7.7.7', prefixLength: 32, adapters: {} }, adapter: '' }],
      diskGroups: [
        {
          diskGroup: { kind: 'directory', name: parseName('diskGroup', 'dg1'), path: join(this.root, 'data') },
          mountPoint: '/ha1',
        },
      ],
    }
  }

  /** What the methods wrote down, in order. */
  journal(): readonly string[] {
    const file = join(this.root, 'journal')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }

  /** What of `ha1` is there. */
  present(): { daemon: boolean; address: boolean; diskGroup: boolean; mounted: boolean } {
    return {
      daemon: this.isDaemonAlive(),
      address: isMarked(this.addressMark),
      diskGroup: isMarked(join(this.root, 'data/.haven-owner')),
      mounted: existsSync(join(this.root, 'ha1')),
    }
  }

  async orders(): Promise<GuardOrders | undefined> {
    return readOnce<GuardOrders>(this.places.orders)
  }

  /** The guard that is in charge. */
  async guard(): Promise<ProcessIdentity> {
    const guard = await eventually('a guard to be in charge', WITHIN_MS, async () => (await this.orders())?.guard)
    if (guard === null) throw new Error('no guard is in charge')
    this.remember(guard)
    return guard
  }

  async ack(): Promise<GuardAck | undefined> {
    return readOnce<GuardAck>(this.places.ack)
  }

  /** Waits until a process is gone. */
  async gone(what: string, process: ProcessIdentity): Promise<void> {
    await eventually(`${what} (process ${process.pid}) to be gone`, WITHIN_MS, (saw) => {
      saw({ condition: conditionOf(process), log: this.log() })
      return conditionOf(process) === 'gone' ? true : undefined
    })
  }

  /** Ends clustd and its guard by force; what they started runs on. */
  async losePower({ child, identity }: Acting, guard: ProcessIdentity): Promise<void> {
    // Stopped before, so that it does not replace its guard.
    child.kill('SIGSTOP')
    process.kill(guard.pid, 'SIGKILL')
    await this.gone('the guard', guard)
    child.kill('SIGKILL')
    await this.gone('clustd', identity)
  }

  /** Makes another host the owner of the disk group, as a takeover does. */
  async takeDiskGroupOver(physicalHost: string): Promise<void> {
    await this.diskGroupMark(physicalHost).take(() => undefined)
  }

  /** Who owns the disk group; undefined = nobody. */
  async diskGroupOwner(): Promise<string | undefined> {
    return (await this.diskGroupMark('alpha').read()).owner?.physicalHost
  }

  log(): string {
    return existsSync(this.places.log) ? readFileSync(this.places.log, 'utf8') : ''
  }

  /** Makes ABORT hang from now on. */
  async makeAbortHang(): Promise<void> {
    await writeFile(join(this.root, 'abort-hangs'), '')
  }

  async remove(): Promise<void> {
    const guard = (await this.orders())?.guard
    if (guard != null) this.remember(guard)
    for (const { child } of this.acting) child.kill('SIGKILL')
    for (const process of this.seen.values()) signalProcess(process, 'SIGKILL')
    await this.endServices()
    await rm(this.root, { recursive: true, force: true })
  }

  /** Ends what the methods left, with their cgroups: the next run has others. */
  private async endServices(): Promise<void> {
    const place = {
      root: this.root,
      cluster: parseName('cluster', this.cluster),
      physicalHost: parseName('physicalHost', 'alpha'),
    }
    const runner = createMethodRunner({ ...place, pathDirectories: [], effects: createRealEffects() })
    const { signal } = new AbortController()
    await runner.endProcesses({ logicalHost: parseName('logicalHost', 'ha1'), service: 'all' }, { graceMs: 0, signal })
  }

  private get method(): string {
    return join(this.root, 'method')
  }

  private get addressMark(): string {
    return join(this.root, `haven-${userInfo().uid}`, this.cluster, 'addresses/127.7.7.7')
  }

  private diskGroupMark(physicalHost: string): OwnershipMark {
    const { cluster, root } = this
    const host = { cluster, physicalHost, root, scope: `${cluster}:${physicalHost}`, effects: createRealEffects() }
    return new OwnershipMark(host, { directory: join(root, 'data/.haven-owner'), what: 'dg1' })
  }

  private isDaemonAlive(): boolean {
    const file = join(this.root, 'daemon.pid')
    return existsSync(file) && readProcess(Number(readFileSync(file, 'utf8'))) !== undefined
  }

  /** One program for all methods. It writes down whether clustd still runs, and what of the logical host is there. */
  private methodText(): string {
    return `#!/bin/sh
cd ${this.root}
case "$(cut -d' ' -f3 "/proc/$(cat clustd.pid)/stat" 2>/dev/null)" in
  ''|Z|X) clustd=dead ;;
  *) clustd=alive ;;
esac
grep -qs alpha '${this.addressMark}'/* && address=up || address=down
[ -L ha1 ] && data=there || data=gone
echo "$HA_METHOD [$1|$2] clustd=$clustd address=$address data=$data" >>journal
case "$HA_METHOD" in
  START)
    sleep 3600 &
    echo $! >daemon.pid ;;
  ABORT)
    [ ! -e abort-hangs ] || sleep 3600 ;;
esac
`
  }

  private remember(process: ProcessIdentity): void {
    this.seen.set(process.pid, process)
  }
}

/** A mark is a directory of numbered files; the one that is there says who the owner is. */
function isMarked(directory: string): boolean {
  if (!existsSync(directory)) return false
  return readdirSync(directory).some((name) => readFileSync(join(directory, name), 'utf8').includes('alpha'))
}

/** Tells a living process from a later one with its pid. */
export function identityOf(pid: number): ProcessIdentity {
  const facts = readProcess(pid)
  if (facts === undefined || !isAlive(facts)) throw new Error(`process ${pid} is not there`)
  return { pid, startTicks: facts.startTicks }
}

function ask(child: ChildProcess, request: Request): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error(`the acting clustd ended during ${request.kind}`))
    child.once('exit', onExit)
    child.once('message', (reply: Reply) => {
      child.off('exit', onExit)
      if (reply.kind === 'done') resolve(reply.value)
      else reject(Object.assign(new Error(reply.message), { code: reply.code }))
    })
    child.send(request)
  })
}

async function readOnce<Line extends GuardOrders | GuardAck>(path: string): Promise<Line | undefined> {
  const file = new LineFile<Line>(path)
  const line = await file.read()
  await file.close()
  return line
}
