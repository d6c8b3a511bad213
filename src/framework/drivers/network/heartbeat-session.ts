import type { Datagram } from './heartbeat-datagram.ts'

/** Datagrams that may overtake one another; more means that they are older than any heartbeat of interest. */
const WINDOW = 64

/** Knows which numbers of a rising sequence were seen, as far back as matters. */
export class ReplayWindow {
  #highest = 0
  readonly #seen = new Float64Array(WINDOW)

  /** Tells whether the number was not seen yet; one that is too old counts as seen. */
  isNew(number: number): boolean {
    return number > 0 && number > this.#highest - WINDOW && this.#seen[number % WINDOW] !== number
  }

  /** Notes a number that is new. Returns whether it is the highest so far. */
  note(number: number): boolean {
    this.#seen[number % WINDOW] = number
    const isHighest = number > this.#highest
    if (isHighest) this.#highest = number
    return isHighest
  }
}

/**
 * What a datagram is, by what it says. `fresh`: of the session that is known. `proved`: of a new one that knows our present challenge, so it was made
 * after we made that up. `unproved`: of another session, perhaps of an earlier life; it does not count. `repeated`: it came before.
 */
export type Verdict = 'fresh' | 'proved' | 'unproved' | 'repeated'

/**
 * What one host knows of the sessions of another. No clock orders sessions, and nothing is kept over a restart: a session counts only once it has echoed
 * a challenge that this host made up in this life and after it had accepted the session before.
 */
export class PeerSession {
  readonly #draw: () => number
  #session = 0
  #challenge: number
  #theirChallenge = 0
  #windows = new Map<string, ReplayWindow>()
  #messages = new ReplayWindow()

  /** `draw` makes up a number from 1 to below `NUMBER_MAX` that nobody can have recorded. */
  constructor(draw: () => number) {
    this.#draw = draw
    this.#challenge = draw()
  }

  /** What the other host has to echo. */
  get challenge(): number {
    return this.#challenge
  }

  /** What the other host wants echoed; 0 = not known yet. */
  get theirChallenge(): number {
    return this.#theirChallenge
  }

  /** Judges what a datagram that came over the network says; nothing is proved yet, and nothing is kept. */
  judge(datagram: Datagram, network: string): Verdict {
    if (datagram.session === this.#session && this.#session !== 0)
      return this.#window(network).isNew(datagram.counter) ? 'fresh' : 'repeated'
    return datagram.echo === this.#challenge && datagram.counter > 0 ? 'proved' : 'unproved'
  }

  /** Takes in a datagram whose seal was checked, with the verdict on it. Returns whether it counts. */
  take(datagram: Datagram, network: string, verdict: Verdict): boolean {
    switch (verdict) {
      case 'repeated':
        return false
      case 'unproved':
        // Echoing it is how the other side finds out that we live now; should it be an old one, the next heartbeat corrects it.
        this.#theirChallenge = datagram.challenge
        return false
      case 'proved':
        this.#session = datagram.session
        this.#windows = new Map()
        this.#messages = new ReplayWindow()
        this.#challenge = this.#draw()
    }
    if (this.#window(network).note(datagram.counter)) this.#theirChallenge = datagram.challenge
    return true
  }

  /** Tells whether a message of the session came for the first time: each comes over every network. */
  isFirst(message: number): boolean {
    if (!this.#messages.isNew(message)) return false
    this.#messages.note(message)
    return true
  }

  #window(network: string): ReplayWindow {
    const window = this.#windows.get(network) ?? new ReplayWindow()
    this.#windows.set(network, window)
    return window
  }
}
