import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { eventually } from '../../eventually.ts'
import type { Lab } from './lab.ts'

/** Where the rows go. */
export interface Database {
  readonly address: string
  readonly port: number
}

/** What a client saw between two moments. */
export interface ClientReport {
  /** Longest time between two acknowledged rows, milliseconds. */
  readonly outageMs: number
  /** Rows that were acknowledged. */
  readonly acknowledged: readonly number[]
  /** Acknowledged rows that the database does not have. */
  readonly lost: readonly number[]
  /** Rows that the database has and nobody sent. */
  readonly unknown: readonly number[]
}

/** A row that is not acknowledged in this time goes over a new connection: TCP alone would try for many minutes. */
const ANSWER_WITHIN_MS = 400
/** The time between two rows, spent in the server so that a connection that breaks is seen at once. */
const PAUSE_S = 0.02

/** A client that writes numbered rows through the floating address, over psql, for as long as it runs. */
export class RowWriter {
  readonly #lab: Lab
  readonly #database: Database
  readonly #acknowledged: { readonly row: number; readonly atMs: number }[] = []
  #sent = 0
  #isStopped = false
  #since = 0
  #connection: Connection | undefined
  readonly #done: Promise<void>

  constructor(lab: Lab, database: Database) {
    this.#lab = lab
    this.#database = database
    this.#done = this.#write()
  }

  /** Makes the table; once per database. */
  static async prepare(lab: Lab, database: Database): Promise<void> {
    await ask(lab, database, 'CREATE TABLE IF NOT EXISTS rows (n bigint PRIMARY KEY)')
  }

  /** How many rows were acknowledged so far. */
  get count(): number {
    return this.#acknowledged.length
  }

  /** Begins a new measurement. */
  begin(): void {
    this.#since = Math.max(0, this.#acknowledged.length - 1)
  }

  /** Waits until a row that is sent from now on is acknowledged, and tells what was seen since `begin`, compared with what the database has. */
  async report(): Promise<ClientReport> {
    const before = this.#sent
    await eventually('a row to be acknowledged', 30_000, () => (this.#lastRow() > before ? true : undefined))
    const seen = this.#acknowledged.slice(this.#since)
    const gaps = seen.slice(1).map(({ atMs }, index) => atMs - (seen[index]?.atMs ?? atMs))
    const all = new Set(
      (await ask(this.#lab, this.#database, 'SELECT n FROM rows')).split('\n').filter(Boolean).map(Number),
    )
    return {
      outageMs: Math.round(Math.max(0, ...gaps)),
      acknowledged: seen.map(({ row }) => row),
      lost: this.#acknowledged.map(({ row }) => row).filter((row) => !all.has(row)),
      unknown: [...all].filter((row) => row > this.#sent),
    }
  }

  #lastRow(): number {
    return this.#acknowledged.at(-1)?.row ?? 0
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#connection?.end()
    await this.#done
  }

  async #write(): Promise<void> {
    while (!this.#isStopped) {
      this.#connection ??= new Connection(this.#lab, this.#database)
      // Each try has a number of its own: one that was not acknowledged may be in the database or not.
      this.#sent += 1
      const row = this.#sent
      if (await this.#connection.insert(row)) {
        this.#acknowledged.push({ row, atMs: performance.now() })
      } else {
        this.#connection.end()
        this.#connection = undefined
      }
    }
  }
}

/** One psql, which takes statements from its standard input. */
class Connection {
  readonly #psql: ChildProcess
  readonly #closed: Promise<undefined>
  #line: (text: string) => void = () => undefined

  constructor(lab: Lab, database: Database) {
    const [program, ...words] = lab.clientWords('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', placeOf(database))
    this.#psql = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#psql.stdin?.on('error', () => undefined) // It has ended; so does what waits for it.
    if (this.#psql.stdout !== null) createInterface({ input: this.#psql.stdout }).on('line', (text) => this.#line(text))
    this.#closed = new Promise((resolve) => this.#psql.once('close', () => resolve(undefined)))
  }

  /** Whether the row was acknowledged. */
  async insert(row: number): Promise<boolean> {
    const answer = this.#nextLine()
    this.#psql.stdin?.write(`INSERT INTO rows VALUES (${row}) RETURNING n;\n`)
    if ((await this.#within(answer)) !== String(row)) return false
    const pause = this.#nextLine()
    this.#psql.stdin?.write(`SELECT pg_sleep(${PAUSE_S});\n`)
    await this.#within(pause)
    return true
  }

  end(): void {
    this.#psql.kill('SIGKILL')
  }

  #nextLine(): Promise<string> {
    return new Promise((resolve) => {
      this.#line = resolve
    })
  }

  /** The answer; undefined when psql has ended, or it is late. */
  #within(answer: Promise<string>): Promise<string | undefined> {
    const late = AbortSignal.timeout(ANSWER_WITHIN_MS)
    const time = new Promise<undefined>((resolve) => late.addEventListener('abort', () => resolve(undefined)))
    return Promise.race([answer, this.#closed, time])
  }
}

function placeOf({ address, port }: Database): string {
  const limits = "connect_timeout=2 tcp_user_timeout=1000 options='-c statement_timeout=2000'"
  return `host=${address} port=${port} user=postgres dbname=postgres ${limits}`
}

async function ask(lab: Lab, database: Database, sql: string): Promise<string> {
  return lab.client('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', sql, placeOf(database))
}
