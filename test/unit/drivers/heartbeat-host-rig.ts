import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { eventually } from '../../eventually.ts'

/** What a process that holds a channel is started with; see `heartbeat-host.ts`. */
export interface HostOrder {
  /** Of the thread of the heartbeats. */
  readonly program: string
  readonly port: number
  readonly me: { readonly host: string; readonly address: string }
  readonly other: { readonly host: string; readonly address: string }
  readonly network: string
  readonly intervalMs: number
  readonly silentMs: number
}

/** What it tells. */
export type HostWord =
  | { readonly kind: 'ready' }
  /** What it thinks of the other host; `silent` at first. */
  | { readonly kind: 'silent' | 'audible' }
  /** Something new was heard; told now and then. */
  | { readonly kind: 'heard' }
  /** Its listener for a change was called. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'message'; readonly round: number }
  /** It did not run for longer than a silence. */
  | { readonly kind: 'slept'; readonly ms: number }
  | { readonly kind: 'warned'; readonly why: string }

/** Bundles the process into a directory, and returns its path. */
export async function bundleHeartbeatHost(directory: string): Promise<string> {
  const outfile = join(directory, 'heartbeat-host.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'heartbeat-host.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'warning',
  })
  return outfile
}

/** A process that holds a channel, and all that it has told. */
export class HeartbeatHost {
  readonly process: ChildProcess
  readonly told: HostWord[] = []

  constructor(process_: ChildProcess) {
    this.process = process_
    if (process_.stdout === null) throw new Error('what it tells goes nowhere')
    createInterface({ input: process_.stdout }).on('line', (line) => this.told.push(JSON.parse(line) as HostWord))
  }

  /** How often it has told that. */
  count(kind: HostWord['kind'], from = 0): number {
    return this.told.slice(from).filter((word) => word.kind === kind).length
  }

  /** Waits until it has told that `times` times since the word with the number `from`. */
  async tells(kind: HostWord['kind'], { from = 0, times = 1 } = {}): Promise<void> {
    await eventually(`${times} times ${kind}`, 10_000, (saw) => {
      saw(this.told.slice(-20))
      return this.count(kind, from) >= times ? true : undefined
    })
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const gone = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    await gone
  }
}
