import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Datagram } from '../../../src/framework/drivers/network/heartbeat-datagram.ts'
import { PeerSession, ReplayWindow } from '../../../src/framework/drivers/network/heartbeat-session.ts'

describe('a window of numbers', () => {
  it('takes each number once, in any order, as long as it is not too old', () => {
    const shuffled = fc.shuffledSubarray(
      Array.from({ length: 60 }, (_, index) => index + 1),
      { minLength: 60 },
    )
    fc.assert(
      fc.property(shuffled, (numbers) => {
        const window = new ReplayWindow()
        for (const number of numbers) {
          expect(window.isNew(number)).toBe(true)
          window.note(number)
        }
        return numbers.every((number) => !window.isNew(number))
      }),
    )
  })

  it('refuses zero, and what is further back than the window', () => {
    const window = new ReplayWindow()
    expect(window.isNew(0)).toBe(false)
    expect(window.note(1_000)).toBe(true)
    expect(window.note(990)).toBe(false)
    expect([window.isNew(936), window.isNew(937), window.isNew(990), window.isNew(1_001)]).toEqual([
      false,
      true,
      false,
      true,
    ])
  })

  it('never takes a number twice, whatever comes in between', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 300 }), (numbers) => {
        const window = new ReplayWindow()
        const taken = numbers.filter((number) => {
          if (!window.isNew(number)) return false
          window.note(number)
          return true
        })
        return new Set(taken).size === taken.length
      }),
    )
  })
})

/** One life of a channel: what it says, and what it knows of the other side. */
class Life {
  static #drawn = 0
  static draw = (): number => {
    Life.#drawn += 1
    return Life.#drawn
  }
  readonly session = Life.draw()
  readonly peer = new PeerSession(Life.draw)
  #counter = 0

  say(): Datagram {
    this.#counter += 1
    const { challenge, theirChallenge: echo } = this.peer
    const payload = new Uint8Array()
    return { kind: 'heartbeat', session: this.session, counter: this.#counter, challenge, echo, payload }
  }

  hear(datagram: Datagram, network = 'priv1'): boolean {
    const verdict = this.peer.judge(datagram, network)
    return verdict !== 'repeated' && this.peer.take(datagram, network, verdict)
  }
}

function shakeHands(one: Life, other: Life): void {
  other.hear(one.say())
  one.hear(other.say())
  other.hear(one.say())
}

describe('the session of another host', () => {
  it('counts after one question and answer, from either side', () => {
    const [alpha, beta] = [new Life(), new Life()]
    expect(beta.hear(alpha.say())).toBe(false)
    expect(alpha.hear(beta.say())).toBe(true)
    expect(beta.hear(alpha.say())).toBe(true)
  })

  it('counts a datagram once for each network', () => {
    const [alpha, beta] = [new Life(), new Life()]
    shakeHands(alpha, beta)
    const said = alpha.say()
    expect([beta.hear(said), beta.hear(said), beta.hear(said, 'priv2'), beta.hear(said, 'priv2')]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })

  it('follows the other host into its next life, and never back', () => {
    const [alpha, beta] = [new Life(), new Life()]
    shakeHands(alpha, beta)
    const held = [alpha.say(), alpha.say()]
    const next = new Life()
    expect(beta.hear(next.say())).toBe(false)
    expect(next.hear(beta.say())).toBe(true)
    expect(beta.hear(next.say())).toBe(true)
    expect(held.map((datagram) => beta.hear(datagram))).toEqual([false, false])
    expect(beta.hear(held[0] ?? next.say(), 'priv2')).toBe(false)
    expect(beta.hear(next.say())).toBe(true)
  })

  it('counts a message once, whichever network it came over', () => {
    const [alpha, beta] = [new Life(), new Life()]
    shakeHands(alpha, beta)
    expect([beta.peer.isFirst(1), beta.peer.isFirst(1), beta.peer.isFirst(2), beta.peer.isFirst(0)]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })

  it('counts nothing that was recorded in earlier lives of either side, in whatever order it is sent again', () => {
    const lives = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 4 })), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(lives, fc.infiniteStream(fc.nat()), (story, choices) => {
        let [alpha, beta] = [new Life(), new Life()]
        const recorded: Datagram[] = []
        for (const [isAlphaBorn, beats] of story) {
          if (isAlphaBorn) alpha = new Life()
          else beta = new Life()
          shakeHands(alpha, beta)
          for (let beat = 0; beat < beats; beat += 1) recorded.push(alpha.say())
        }
        // Whoever recorded it plays it to the next life of beta, which has heard nobody yet; alpha is dead.
        const fresh = new Life()
        const played = Array.from(
          { length: 30 },
          () => recorded[(choices.next().value ?? 0) % Math.max(1, recorded.length)],
        )
        return played.every((datagram) => datagram === undefined || !fresh.hear(datagram))
      }),
    )
  })

  it('is heard again soon, whatever old datagrams are thrown in between', () => {
    const [alpha, beta] = [new Life(), new Life()]
    shakeHands(alpha, beta)
    const old = [alpha.say(), alpha.say()]
    const [nextAlpha, nextBeta] = [new Life(), new Life()]
    for (const datagram of old) nextBeta.hear(datagram)
    shakeHands(nextAlpha, nextBeta)
    expect(nextBeta.hear(nextAlpha.say())).toBe(true)
    expect(nextAlpha.hear(nextBeta.say())).toBe(true)
  })
})
