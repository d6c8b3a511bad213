import { describe, expect, it } from 'vitest'
import { ADAPTER_TESTS_DEFAULT as TESTS } from '../../../src/framework/model/adapter-tests.ts'
import type { ProbeAnswer } from '../../../src/framework/model/network.ts'
import {
  type AdapterHistory,
  adapterVerdict,
  lookAtAdapter,
  mustAsk,
  newAdapter,
  tookAnswer,
} from '../../../src/framework/supervise/adapter-verdict.ts'

const NO_DOUBT = Number.NEGATIVE_INFINITY
const { inactiveMs, repeatTests, backMs } = TESTS

/** One adapter and its clock. */
class Adapter {
  nowMs = 1_000
  doubtedAtMs = NO_DOUBT
  history: AdapterHistory = newAdapter(this.nowMs)

  look(link: AdapterHistory['link'], received: number | undefined, afterMs = 0): this {
    this.nowMs += afterMs
    this.history = lookAtAdapter(
      this.history,
      { nowMs: this.nowMs, link, received, doubtedAtMs: this.doubtedAtMs },
      TESTS,
    )
    return this
  }

  answers(answer: ProbeAnswer, times = 1): this {
    for (let time = 0; time < times; time += 1)
      this.history = tookAnswer(this.history, { answer, nowMs: this.nowMs }, TESTS)
    return this
  }

  get verdict() {
    return adapterVerdict(this.history, this, TESTS)
  }

  get mustAsk() {
    return mustAsk(this.history, this, TESTS)
  }
}

describe('the tests of an adapter', () => {
  it('say nothing against one that was never looked at', () => {
    expect(new Adapter().verdict).toBe('ok')
    expect(new Adapter().mustAsk).toBe(false)
  })

  it('ask only when nothing came in for a while', () => {
    const adapter = new Adapter().look('up', 10).look('up', 11, inactiveMs - 1)
    expect(adapter.mustAsk).toBe(false)
    expect(adapter.look('up', 11, inactiveMs - 1).mustAsk).toBe(false)
    expect(adapter.look('up', 11, 1).mustAsk).toBe(true)
    expect(adapter.answers('answered').mustAsk).toBe(false)
    expect(adapter.verdict).toBe('ok')
  })

  it('find it silent only after all questions went without an answer', () => {
    const adapter = new Adapter().look('up', 10).look('up', 10, inactiveMs)
    expect(adapter.answers('unanswered', repeatTests - 1).verdict).toBe('doubtful')
    expect(adapter.answers('unanswered').verdict).toBe('silent')
    expect(adapter.mustAsk).toBe(true)
  })

  it('take frames that come in for an answer', () => {
    const adapter = new Adapter()
      .look('up', 10)
      .look('up', 10, inactiveMs)
      .answers('unanswered', repeatTests - 1)
    expect(adapter.look('up', 11).verdict).toBe('doubtful')
    expect(adapter.look('up', 12, 1_000).verdict).toBe('ok')
  })

  it('do not take what a switch says by itself for life, when in doubt', () => {
    const silent = new Adapter().look('up', 10).look('up', 10, inactiveMs).answers('unanswered', repeatTests)
    const doubted = new Adapter().look('up', 10).look('up', 11, 100)
    doubted.doubtedAtMs = doubted.nowMs + 1
    for (let frames = 12; frames < 20; frames += 1) {
      expect(silent.look('up', frames, 2_000).verdict).toBe('silent')
      expect(doubted.look('up', frames, 2_000).verdict).toBe('testing')
      expect(doubted.mustAsk).toBe(true)
    }
  })

  it('take no frame from counters that begin anew, or cannot be read', () => {
    const adapter = new Adapter().look('up', 10).look('up', 3, inactiveMs)
    expect(adapter.mustAsk).toBe(true)
    expect(adapter.look('up', undefined).look('up', 50).mustAsk).toBe(true)
  })

  it('let one be that has nobody to ask', () => {
    const adapter = new Adapter().look('up', 10).look('up', 10, inactiveMs).answers('nobody-to-ask')
    expect(adapter.verdict).toBe('ok')
    expect(adapter.mustAsk).toBe(false)
    expect(adapter.look('up', 10, inactiveMs).mustAsk).toBe(true)
  })

  it('see at once that a link is down, and that it is back only after a while', () => {
    const adapter = new Adapter().look('up', 10).look('down', 10)
    expect(adapter.verdict).toBe('link-down')
    expect(adapter.mustAsk).toBe(false)
    expect(adapter.look('up', 10, 1).verdict).toBe('recovering')
    expect(adapter.look('up', 11, backMs).verdict).toBe('recovering')
    expect(adapter.look('up', 12, backMs - 1).verdict).toBe('recovering')
    expect(adapter.look('up', 12, 1).verdict).toBe('ok')
  })

  it('do not trust a link that comes and goes', () => {
    const adapter = new Adapter().look('up', 1)
    for (let round = 0; round < 10; round += 1) {
      adapter
        .look('down', 1, backMs / 2)
        .look('up', 1, 1)
        .answers('answered')
      expect(adapter.verdict).toBe('recovering')
    }
  })

  it('doubt what was heard before somebody doubted the network, without speaking against the adapter', () => {
    const adapter = new Adapter().look('up', 10).look('up', 11, 100)
    adapter.doubtedAtMs = adapter.nowMs + 1
    adapter.look('up', 11, 2)
    expect(adapter.verdict).toBe('testing')
    expect(adapter.mustAsk).toBe(true)
    expect(adapter.look('up', 12, 250).verdict).toBe('testing')
    expect(adapter.look('up', 13, 250).verdict).toBe('ok')
  })

  it('trust a silent one again after a while of answers', () => {
    const adapter = new Adapter().look('up', 10).look('up', 10, inactiveMs).answers('unanswered', repeatTests)
    expect(adapter.answers('answered').verdict).toBe('recovering')
    expect(adapter.look('up', 11, backMs).verdict).toBe('ok')
  })
})
