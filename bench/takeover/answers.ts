import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Lab } from '../../test/e2e/lab/lab.ts'
import { programIn } from '../../test/e2e/lab/programs.ts'
import { pause } from '../timing.ts'

/** Where a service answers. */
export interface AnswerPlace {
  readonly address: string
  readonly port: number
}

/** A time in which a place did not answer, or after which another host did; milliseconds. */
interface Gap {
  readonly place: number
  readonly fromMs: number
  readonly untilMs: number
  /** Who answered before, and who does since. */
  readonly from: string
  readonly by: string
}

/** No trial takes longer; one that does has failed. */
const GAP_MS_MAX = 60_000
/** Long enough for a second gap to show that belongs to the same outage. */
const CALM_MS = 300

/** The client of the takeover benchmark: a process that asks each place every 2 ms, and tells when it was not answered. */
export class Answers {
  readonly #program: ChildProcess
  readonly #ready: Promise<void>
  readonly #places: number
  #gaps: Gap[] = []

  constructor(lab: Lab, workshop: string, places: readonly AnswerPlace[]) {
    const words = places.flatMap(({ address, port }) => [address, String(port)])
    const [program, ...rest] = lab.clientWords(programIn(workshop, 'poll-answers'), ...words)
    this.#places = places.length
    this.#program = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#program
    if (stdout === null) throw new Error('no output to read')
    this.#ready = new Promise((resolve, reject) => {
      this.#program.once('exit', () => reject(new Error('the client has ended')))
      createInterface({ input: stdout }).on('line', (line) => {
        const [place = '', kind = '', start = '', end = '', from = '', by = ''] = line.split(' ')
        if (place === 'ready') resolve()
        // On a busy machine an answer may be late; what counts is when another host began to give them.
        if (kind !== 'gap' || from === by) return
        this.#gaps.push({ place: Number(place), fromMs: Number(start) / 1e3, untilMs: Number(end) / 1e3, from, by })
      })
    })
  }

  ready(): Promise<void> {
    return this.#ready
  }

  /** Forgets what it saw. */
  begin(): void {
    this.#gaps = []
  }

  /** Waits until every place is answered by the host; returns how long each was away: from the last answer of another host to the first one of this. */
  async outagesMs(by: string): Promise<readonly number[]> {
    const places = Array.from({ length: this.#places }, (_, place) => place)
    const untilMs = performance.now() + GAP_MS_MAX
    for (;;) {
      const arrived = places.filter((place) => this.#gaps.some((gap) => gap.place === place && gap.by === by))
      if (arrived.length === places.length) break
      if (performance.now() > untilMs)
        throw new Error(`${by} does not answer everywhere; others do: ${this.#answering()}`)
      await pause(10)
    }
    await pause(CALM_MS)
    return places.map((place) => {
      const own = this.#gaps.filter((gap) => gap.place === place)
      return Math.max(...own.map(({ untilMs: end }) => end)) - Math.min(...own.map(({ fromMs }) => fromMs))
    })
  }

  #answering(): string {
    return this.#gaps
      .map(({ place, from, by }) => `${place} ${from} ${by}`)
      .slice(-20)
      .join(', ')
  }

  async stop(): Promise<void> {
    await this.#ready.catch(() => undefined)
    const ended = new Promise((resolve) => this.#program.once('exit', resolve))
    this.#program.stdin?.end()
    await ended
  }
}
