import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient, socketPathOf } from '../src/framework/api/client.ts'
import type { RequestJson } from '../src/framework/api/wire.ts'
import type { BenchContext } from './benchmark.ts'
import { findProcess } from './process-usage.ts'
import { pause, runProgram } from './timing.ts'

/** What a cluster for trial is made of. */
export interface TrialShape {
  readonly logicalHosts: number
  readonly servicesEach: number
  /** Methods that each service has; all of them do nothing. */
  readonly methods: readonly string[]
  /** Which host is to master the logical hosts. */
  readonly preferred: HostName
}

export type HostName = 'alpha' | 'beta'

const CLUSTER = 'bench'
/** A start takes a second or two; a machine that is busy with other things gets this long. */
const PATIENCE_MS = 60_000

/** Two real hosts on this machine that share a database in files: clustd and failfastd each, disk groups that are directories, addresses in 127/8. */
export class TrialCluster {
  readonly directory: string
  readonly #context: BenchContext
  readonly #environment: NodeJS.ProcessEnv

  constructor(context: BenchContext) {
    this.#context = context
    this.directory = mkdtempSync(join(context.workshop, 'cluster-'))
    // Drivers of one machine meet in the directory for temporary files: ours is not that of other clusters on this machine.
    this.#environment = { ...process.env, TMPDIR: this.directory }
  }

  rootOf(host: HostName): string {
    return join(this.directory, host)
  }

  client(host: HostName): Client {
    return createClient({ socketPath: socketPathOf(this.rootOf(host)), operator: 'bench' })
  }

  /** Runs one of the commands as a host's operator. */
  async command(host: HostName, name: string, words: readonly string[]): Promise<void> {
    const program = this.#context.installation.program(name)
    await runProgram(program, words, { ...this.#environment, HAVEN_ROOT: this.rootOf(host) })
  }

  /** Sets both hosts up and starts them, with the configuration of the shape; resolves when every logical host is mastered. */
  async start(shape: TrialShape): Promise<void> {
    const database = `file:${join(this.directory, 'database')}`
    for (const host of ['alpha', 'beta'] as const) {
      mkdirSync(this.rootOf(host))
      await this.command(host, 'scadmin', ['setup', '--cluster', CLUSTER, '--host', host, '--database', database])
    }
    await this.command('alpha', 'scadmin', ['startcluster', 'alpha', CLUSTER])
    await this.command('beta', 'scadmin', ['startnode'])
    const text = JSON.stringify(this.#configuration(shape))
    await this.client('alpha').applyConfiguration({ text, fileName: 'bench' })
    await this.untilMasteredBy('alpha', shape.preferred)
  }

  /** Carries a request out as a program would that uses the API: asks, and follows until all is done. Rejects unless it was reached. */
  async carryOut(asker: HostName, request: RequestJson): Promise<number> {
    const client = this.client(asker)
    const { reconfiguration } = await client.submit({ request })
    if (reconfiguration === null) throw new Error('there was nothing to do')
    for await (const event of client.follow(reconfiguration)) {
      if (event.kind === 'end' && event.outcome !== 'reached') throw new Error(event.why.join('; '))
    }
    return reconfiguration
  }

  /** Waits until a host sees every logical host mastered by the other (or itself). */
  async untilMasteredBy(asker: HostName, master: HostName, everyMs = 20): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS
    for (;;) {
      const { logicalHosts } = await this.client(asker).status()
      const away = logicalHosts.filter((at) => at.master !== master)
      if (away.length === 0) return
      if (performance.now() > untilMs) throw new Error(`not mastered by ${master}: ${JSON.stringify(away[0])}`)
      await pause(everyMs)
    }
  }

  async clustdPid(host: HostName): Promise<number> {
    return (await this.client(host).identity()).pid
  }

  guardPid(host: HostName): number {
    return findProcess(['--root', this.rootOf(host), '--cluster', CLUSTER])
  }

  /** Ends a host as a loss of power does. */
  async kill(host: HostName): Promise<void> {
    const pids = [this.guardPid(host), await this.clustdPid(host)]
    for (const pid of pids) process.kill(pid, 'SIGKILL')
  }

  /** Ends what still runs, without giving anything up. */
  async stop(): Promise<void> {
    for (const host of ['alpha', 'beta'] as const) await this.kill(host).catch(() => undefined)
  }

  #configuration({ logicalHosts, servicesEach, methods, preferred }: TrialShape): object {
    const method = join(this.directory, 'method')
    writeFileSync(method, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    const order = preferred === 'alpha' ? ['alpha', 'beta'] : ['beta', 'alpha']
    const numbers = Array.from({ length: logicalHosts }, (_, index) => index + 1)
    for (const number of numbers) mkdirSync(join(this.directory, `disk-${number}`))
    const addressOf = (number: number): string => `127.77.${Math.floor(number / 250)}.${number % 250}`
    const servicesOf = (number: number): readonly [string, object][] =>
      Array.from({ length: servicesEach }, (_, index) => {
        const programs = Object.fromEntries(methods.map((name) => [name, method]))
        return [`svc-${number}-${index + 1}`, { state: 'on', logicalHosts: [`ha${number}`], methods: programs }]
      })
    return {
      cluster: { name: CLUSTER },
      physicalHosts: { alpha: {}, beta: {} },
      diskGroups: Object.fromEntries(
        numbers.map((number) => [`dg${number}`, { directory: join(this.directory, `disk-${number}`) }]),
      ),
      logicalHosts: Object.fromEntries(
        numbers.map((number) => [
          `ha${number}`,
          {
            physicalHosts: order,
            diskGroups: [`dg${number}`],
            addresses: [{ address: addressOf(number) }],
            switchback: 'manual',
          },
        ]),
      ),
      dataServices: Object.fromEntries(numbers.flatMap(servicesOf)),
    }
  }
}

/** Runs work with a cluster for trial, which is gone afterwards however that ended. */
export async function withCluster<Value>(
  context: BenchContext,
  shape: TrialShape,
  work: (cluster: TrialCluster) => Promise<Value>,
): Promise<Value> {
  const cluster = new TrialCluster(context)
  try {
    await cluster.start(shape)
    return await work(cluster)
  } finally {
    await cluster.stop()
  }
}
