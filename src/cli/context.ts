import type { Client } from '../framework/api/client.ts'

/** Where a command prints to. */
export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
  /** Characters of a line; 100 where there is no terminal. */
  readonly columns: number
  /** Lines of a page; unlimited where there is no terminal. */
  readonly rows: number
}

/** What a command has of the world: all that tests replace. */
export interface Context {
  /** What was called: `haswitch`. */
  readonly name: string
  /** Whether `--json` was given: then nothing but one JSON value goes to stdout. */
  readonly json: boolean
  readonly stdout: Output
  readonly stderr: Output
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `HAVEN_ROOT`, absolute. */
  readonly root: string
  /** Directory in which Haven is installed: that of `bin` and `dataservices`. */
  readonly installation: string
  readonly api: Client
  /** Milliseconds of a clock that only goes on; to show how long something has been running. */
  nowMs(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Asks whoever is at the terminal, and resolves with the line that was typed; undefined where there is no terminal. Throws `ABORTED` when it is closed instead (Ctrl-D, Ctrl-C). */
  readonly ask?: ((question: string) => Promise<string>) | undefined
  /** Names of the network adapters of this machine, in its network namespace; empty when they cannot be told. */
  adapters(): readonly string[]
  /** Calls `listener` instead of ending at once on Ctrl-C, until the returned function is called. */
  onInterrupt(listener: () => void): () => void
  /** What works without clustd. Loaded when it is needed: it brings the cluster database along. */
  offline(): Promise<typeof import('../framework/daemon/offline.ts')>
}

/** Prints one line of text. */
export function printLine(context: Context, line = ''): void {
  context.stdout.write(`${line}\n`)
}

/** Prints one JSON value: the whole stdout of a command that was given `--json`. */
export function printJson(context: Context, value: unknown): void {
  context.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Prints an answer of the API as it is, or as text. */
export function printAnswer<Answer>(
  context: Context,
  answer: Answer,
  render: (answer: Answer) => readonly string[],
): void {
  if (context.json) printJson(context, answer)
  else for (const line of render(answer)) printLine(context, line)
}
