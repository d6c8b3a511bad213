import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { COMMAND_LOADERS, type CommandName } from '../../src/cli/commands/load.ts'
import type { Output } from '../../src/cli/context.ts'
import { runCommand, type World } from '../../src/cli/run-command.ts'
import { createClient, socketPathOf } from '../../src/framework/api/client.ts'
import { listenOnSocket } from '../../src/framework/api/listen.ts'
import { ApiWorld } from '../api/api-world.ts'

/** Turns of the event loop that a command may take: the socket is real, its clock is not. */
const TURNS_MAX = 10_000_000

/** What a command did. */
export interface Ran {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** What a command prints to, kept. */
export type KeptText = Output & { text(): string }

/** Makes an output that keeps what is printed. */
export function keepText(isTerminal = false): KeptText {
  const pieces: string[] = []
  return {
    write: (piece) => pieces.push(piece),
    isTerminal,
    columns: 100,
    rows: 40,
    text: () => pieces.join(''),
  }
}

/** A world for commands that reach no clustd. */
export function emptyWorld(more: Partial<World> = {}): World {
  const root = '/nowhere'
  return {
    stdout: keepText(),
    stderr: keepText(),
    environment: {},
    root,
    installation: join(import.meta.dirname, '../..'),
    api: createClient({ socketPath: socketPathOf(root), operator: 'anna' }),
    nowMs: () => 0,
    sleep: async () => undefined,
    adapters: () => [],
    onInterrupt: () => () => undefined,
    offline: () => import('../../src/framework/daemon/offline.ts'),
    ...more,
  }
}

/** What a test replaces of the world of a command. */
export type Replaced = Partial<Omit<World, 'stdout' | 'stderr'>> & { readonly stdout?: KeptText }

/** Runs a command line, `haswitch -m ha1`; words with spaces are given as a list. */
export async function run(line: string | readonly string[], more: Replaced = {}): Promise<Ran> {
  const [name = '', ...argv] = typeof line === 'string' ? line.split(' ') : line
  const { stdout = keepText() } = more
  const stderr = keepText()
  const command = await COMMAND_LOADERS[name as CommandName]()
  const exitCode = await runCommand(command, argv, emptyWorld({ ...more, stdout, stderr }))
  return { exitCode, out: stdout.text(), err: stderr.text() }
}

/** Two members, alpha and beta, with the production loop on virtual time, and commands that speak with alpha over its socket. */
export class CliWorld {
  readonly root = mkdtempSync(join(tmpdir(), 'haven-cli-'))
  readonly #interrupts = new Set<() => void>()
  readonly api: ApiWorld

  private constructor(api: ApiWorld) {
    this.api = api
  }

  /** Makes the world: logical host ha1 on alpha (disk group dg1, 127.1.0.1). */
  static async make(): Promise<CliWorld> {
    const world = new CliWorld(await ApiWorld.make())
    await world.api.finish(listenOnSocket(world.api.app, socketPathOf(world.root)), TURNS_MAX)
    return world
  }

  /** Runs a command on alpha while time passes. */
  run(line: string | readonly string[], more: Replaced = {}): Promise<Ran> {
    const { clock } = this.api
    const effects = clock.effects()
    const ran = run(line, {
      root: this.root,
      api: createClient({ socketPath: socketPathOf(this.root), operator: 'anna' }),
      nowMs: () => effects.nowMonotonicMs(),
      sleep: (ms, signal) => effects.sleep(ms, signal).catch(() => undefined),
      onInterrupt: (listener) => {
        this.#interrupts.add(listener)
        return () => this.#interrupts.delete(listener)
      },
      ...more,
    })
    return this.api.finish(ran, TURNS_MAX)
  }

  /** Presses Ctrl-C; false when nobody listens. */
  interrupt(): boolean {
    const listeners = [...this.#interrupts]
    for (const listener of listeners) listener()
    return listeners.length > 0
  }

  async close(): Promise<void> {
    await this.api.close()
    rmSync(this.root, { recursive: true })
  }
}
