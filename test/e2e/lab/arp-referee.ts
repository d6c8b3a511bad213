import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { inject } from 'vitest'
import { CLIENT_ADDRESS, type Lab } from './lab.ts'
import { programIn } from './programs.ts'

/** Somebody said that an address is at a hardware address; milliseconds of the machine's monotonic clock. */
export interface Claim {
  readonly atMs: number
  readonly address: string
  readonly hardware: string
}

/** The referee asks every 10 ms, and whoever has an address answers each question. */
const SAME_MOMENT_MS = 20

/** Asks from the client's network, all the time, who has the logical addresses: what a client would believe, whatever Haven says. */
export class ArpReferee {
  readonly #program: ChildProcess
  readonly #ready: Promise<void>
  #claims: Claim[] = []

  constructor(lab: Lab, addresses: readonly string[]) {
    const words = lab.clientWords(programIn(inject('workshop'), 'ask-arp'), 'pub', CLIENT_ADDRESS, ...addresses)
    const [program, ...rest] = words
    this.#program = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
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

  /** In words: each pair of claims by different hosts at the same moment. */
  violations(): readonly string[] {
    return doubleClaims(this.#claims)
  }

  async stop(): Promise<void> {
    await this.#ready.catch(() => undefined)
    const ended = new Promise((resolve) => this.#program.once('exit', resolve))
    this.#program.stdin?.end()
    await ended
  }
}

function readClaim(line: string): Claim {
  const [atMs = '', address = '', hardware = ''] = line.split(' ')
  return { atMs: Number(atMs), address, hardware }
}

/**
 * Finds the moments in which two hosts had one address: one answered, another one did, and the first one again, all within two rounds of questions. That
 * the other answers a moment after the first is how an address moves.
 */
export function doubleClaims(claims: readonly Claim[]): readonly string[] {
  const lastOf = new Map<string, Map<string, number>>()
  const found: string[] = []
  for (const { atMs, address, hardware } of claims) {
    const seen = lastOf.get(address) ?? new Map<string, number>()
    lastOf.set(address, seen)
    const ownMs = seen.get(hardware) ?? Number.NEGATIVE_INFINITY
    for (const [other, whenMs] of seen) {
      if (other === hardware || whenMs < ownMs || atMs - ownMs > SAME_MOMENT_MS) continue
      found.push(`${address}: ${hardware}, ${other}, and ${hardware} again, within ${atMs - ownMs} ms, at ${atMs}`)
    }
    seen.set(hardware, atMs)
  }
  return found
}
