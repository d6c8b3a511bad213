import { describe, expect, it } from 'vitest'
import { writeDuration, writeLimit } from '../../src/cli/print/duration.ts'
import { planLines } from '../../src/cli/print/plan-lines.ts'
import { quoteWord } from '../../src/cli/print/shell-quote.ts'
import { renderTable, wrapText } from '../../src/cli/print/table.ts'
import { timelineLines } from '../../src/cli/print/timeline-lines.ts'
import type { PlanJson, SpanJson, TimelineJson, TimelineStepJson } from '../../src/framework/api/wire.ts'

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [99.4, '99 ms'],
    [99.6, '0.10 s'],
    [420, '0.42 s'],
    [9_994, '9.99 s'],
    [9_996, '10.0 s'],
    [59_940, '59.9 s'],
    [99_960, '1 min 40 s'],
    [185_000, '3 min 05 s'],
    [3_599_600, '1 h 00 min'],
    [7_500_000, '2 h 05 min'],
    [86_400_000 * 3, '3 d 0 h'],
    [-50, '-50 ms'],
  ])('of %d ms is %s', (ms, text) => {
    expect(writeDuration(ms)).toBe(text)
  })

  it('of a limit is in seconds where it can be', () => {
    expect([writeLimit(60_000), writeLimit(180_000), writeLimit(400)]).toEqual(['60 s', '180 s', '0.40 s'])
  })
})

describe('a table', () => {
  it('sets texts to the left and numbers to the right', () => {
    expect(
      renderTable(
        [
          ['a', { right: '1' }, 'x'],
          ['bcd', { right: '23' }, ''],
        ],
        ' ',
      ),
    ).toEqual([' a     1  x', ' bcd  23'])
  })

  it('breaks texts at spaces, and leaves long words whole', () => {
    expect(wrapText('one two extraordinarily three', 8)).toEqual(['one two', 'extraordinarily', 'three'])
    expect(wrapText('', 8)).toEqual([])
  })
})

describe('a word for the shell', () => {
  it.each([
    ['plain/path,a=b', 'plain/path,a=b'],
    ['', "''"],
    ['a b', "'a b'"],
    ["it's", "'it'\\''s'"],
    ['$(x)', "'$(x)'"],
  ])('%s', (word, quoted) => {
    expect(quoteWord(word)).toBe(quoted)
  })
})

const step = (sentence: string, more: Partial<TimelineStepJson> = {}): TimelineStepJson => ({
  sentence,
  outcome: 'done',
  startedAfterMs: 0,
  durationMs: 0,
  timeoutMs: 60_000,
  onLadder: false,
  message: '',
  lists: null,
  output: [],
  ...more,
})

function timelineOf(spans: readonly SpanJson[], durationMs: number): TimelineJson {
  const cause = { kind: 'switchover', sentence: 'switchover of ha1 to beta', by: 'anna' }
  return {
    number: 7,
    atWallMs: 0,
    cause,
    plannedBy: 'alpha',
    logicalHosts: ['ha1'],
    state: 'done',
    durationMs,
    follows: null,
    silences: [],
    followedBy: null,
    because: [],
    lanes: [{ logicalHost: 'ha1', because: 'as asked', durationMs, spans, halves: [], clockSkewMs: 0 }],
    watches: [],
  }
}

describe('a timeline', () => {
  const spans: readonly SpanJson[] = [
    { kind: 'waiting', fromMs: 0, durationMs: 50, what: 'alpha sees the plan and begins' },
    { kind: 'step', fromMs: 50, durationMs: 450, host: 'alpha', half: 'give-up', step: step('STOP_NET web') },
    { kind: 'waiting', fromMs: 500, durationMs: 1, what: 'alpha goes on to the next step' },
    {
      kind: 'step',
      fromMs: 501,
      durationMs: 99,
      host: 'alpha',
      half: 'give-up',
      step: step('STOP web', { outcome: 'timed-out', message: 'no end', lists: ['', 'ha1'], output: ['still busy'] }),
    },
    {
      kind: 'waiting',
      fromMs: 600,
      durationMs: 200,
      what: 'beta sees that it was released, and begins with what it has to do',
    },
    { kind: 'step', fromMs: 800, durationMs: 200, host: 'beta', half: 'take-on', step: step('import dg1') },
  ]

  it('is a tree that accounts for every wait, shows what went wrong, and keeps to 100 columns', () => {
    const lines = timelineLines(timelineOf(spans, 1_000)).slice(3)
    expect(lines).toEqual([
      'ha1: as asked',
      '  ├─ wait: alpha sees the plan and begins               +0 ms    50 ms █',
      '  ├─ alpha gives it up                                 +50 ms   0.55 s',
      '  │  ├─ STOP_NET web                                   +50 ms   0.45 s  █████████           of 60 s',
      '  │  └─ TIMED OUT: STOP web                           +0.50 s    99 ms           ██         of 60 s',
      '  │     no end',
      '  │     called with "" "ha1"',
      '  │     | still busy',
      '  ├─ wait: beta sees that it was released, and        +0.60 s   0.20 s             ████',
      '  │  begins with what it has to do',
      '  └─ beta takes it on                                 +0.80 s   0.20 s',
      '     └─ import dg1                                    +0.80 s   0.20 s                 ████ of 60 s',
      '     ha1 in all                                         +0 ms   1.00 s',
    ])
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  it('begins with the wait for a host that gave no sign of life', () => {
    const lines = timelineLines({
      ...timelineOf(spans, 1_000),
      silences: [{ host: 'alpha', silentMs: 2_210, isFenced: false }],
    })
    expect(lines[2]).toBe('  before that: waited 2.21 s for a sign of life of alpha (guard + abort + margin)')
  })

  it('says so when no logical host was touched', () => {
    const lines = timelineLines({ ...timelineOf([], 0), lanes: [], durationMs: null, state: 'running' })
    expect(lines.at(-1)).toBe('  no logical host had to be touched')
    expect(lines[1]).toMatch(/planned by alpha, running$/)
  })
})

describe('a plan', () => {
  const plan: PlanJson = {
    id: '8.1',
    number: 8,
    cause: { kind: 'switchover', sentence: 'switchover of ha1 to beta', by: 'anna' },
    because: [{ logicalHost: 'ha1', sentence: 'moves from alpha to beta, as asked' }],
    halves: [
      {
        logicalHost: 'ha1',
        host: 'alpha',
        kind: 'give-up',
        sentence: 'alpha gives ha1 up',
        expected: { medianMs: 300, worstMs: 1_200, samples: 4 },
        steps: [
          {
            sentence: 'STOP web',
            timeoutMs: 60_000,
            ifItFails: 'ladder',
            ladder: ['ABORT web'],
            expected: { medianMs: 300, worstMs: 1_200, samples: 4 },
          },
          { sentence: 'export dg1', timeoutMs: 90_000, ifItFails: 'note', ladder: [], expected: null },
        ],
      },
    ],
    expected: { medianMs: 300, worstMs: 1_200, samples: 4 },
    warnings: ['/opt/web/start is missing on beta'],
    nothingToDo: false,
  }

  it('says why, what is wrong, each step with how long it takes, and how to do it', () => {
    expect(planLines(plan)).toEqual([
      'Plan 8.1: switchover of ha1 to beta',
      '  ha1: moves from alpha to beta, as asked',
      '  WARNING: /opt/web/start is missing on beta',
      '',
      'STEP                                 USUALLY   WORST  LIMIT',
      'ha1: alpha gives ha1 up               0.30 s  1.20 s',
      '  STOP web (if it fails: ABORT web)   0.30 s  1.20 s   60 s',
      '  export dg1                               -       -   90 s',
      'all of it, side by side               0.30 s  1.20 s',
      '',
      'USUALLY (median) and WORST are from 4 former runs or more of each step; "-" has never run here.',
      'Nothing was done. To do exactly this: haswitch --apply 8.1',
    ])
  })

  it('says that nothing would have to be done', () => {
    expect(planLines({ ...plan, because: [], halves: [], nothingToDo: true })).toEqual([
      'Nothing would have to be done: switchover of ha1 to beta.',
    ])
  })
})
