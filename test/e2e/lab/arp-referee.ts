import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { inject } from 'vitest'
import type { Lab } from './lab.ts'
import { addressOn } from './network.ts'
import { programIn } from './programs.ts'

/** Somebody said that an address is at a hardware address; milliseconds of the machine's monotonic clock. */
export interface Claim {
  readonly atMs: number
  readonly address: string
  readonly hardware: string
  /** The question that it answers; 0 = it was told to everybody. */
  readonly question: number
}

/** One question may reach one host before it lets go and another one after it has taken over, on a busy machine. Not several in a row. */
const DOUBLE_ANSWERS_MIN = 3
/** Questions are asked every 10 ms; those that count are this close to each other. */
const QUESTIONS_NEAR = 20

/** Asks from the client's network, all the time, who has the logical addresses: what a client would believe, whatever Haven says. */
export class ArpReferee {
  readonly #program: ChildProcess
  readonly #ready: Promise<void>
  readonly #ended: Promise<unknown>
  #claims: Claim[] = []

  constructor(lab: Lab, addresses: readonly string[]) {
    const words = lab.clientWords(programIn(inject('workshop'), 'ask-arp'), 'pub', addressOn('pub', 0), ...addresses)
    const [program, ...rest] = words
    this.#program = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#ended = new Promise((resolve) => this.#program.once('exit', resolve))
    const { stdout } = this.#program
    if (stdout === null) throw new Error('no output to read')
    this.#ready = new Promise((resolve, reject) => {
      this.#program.once('exit', () => reject(new Error('nobody asks who has the addresses')))
      createInterface({ input: stdout }).on('line', (line) => {
        if (line === 'ready') resolve()
        else this.#claims.push(readClaim(line))
      })
    })
  }

  async ready(): Promise<this> {
    await this.#ready
    return this
  }

  /** Forgets what it has heard. */
  begin(): void {
    this.#claims = []
  }

  /** What it has heard since it began. */
  get claims(): readonly Claim[] {
    return this.#claims
  }

  /** In words: when different hosts answered the same questions. */
  violations(): readonly string[] {
    return doubleClaims(this.#claims)
  }

  async stop(): Promise<void> {
    await this.#ready.catch(() => undefined)
    this.#program.stdin?.end()
    await this.#ended
  }
}

function readClaim(line: string): Claim {
  const [atMs = '', address = '', hardware = '', question = '0'] = line.split(' ')
  return { atMs: Number(atMs), address, hardware, question: Number(question) }
}

/** Finds the times in which two hosts had one address: both answered the same questions, several of them. */
export function doubleClaims(claims: readonly Claim[]): readonly string[] {
  const answers = new Map<string, Claim[]>()
  for (const claim of claims) {
    const key = `${claim.address} ${claim.question}`
    if (claim.question > 0) answers.set(key, [...(answers.get(key) ?? []), claim])
  }
  const doubles = [...answers.values()].flatMap((each) => {
    const [first] = each
    const who = [...new Set(each.map(({ hardware }) => machineOf(hardware)))].toSorted()
    return first === undefined || who.length < 2 ? [] : [{ ...first, who: `machines ${who.join(' and ')}` }]
  })
  return doubles
    .filter(
      (double) =>
        doubles.filter(
          ({ address, question }) =>
            address === double.address && Math.abs(question - double.question) <= QUESTIONS_NEAR,
        ).length >= DOUBLE_ANSWERS_MIN,
    )
    .map(({ address, who, atMs, question }) => `${address}: ${who} answered question ${question}, at ${atMs}`)
}

/** Every adapter of a machine that has an address answers for it (Linux, arp_ignore 0). The last number of the hardware address is the machine's. */
function machineOf(hardware: string): string {
  return hardware.slice(-2)
}
