import { describe, expect, test } from 'vitest'
import {
  NEW_PROBE_HISTORY,
  type ProbeEnding,
  type ProbeVerdict,
  probeVerdict,
  remedyForFailure,
} from '../../../src/framework/supervise/probe-verdict.ts'
import { addRestart } from '../../../src/framework/supervise/restart-intensity.ts'

const limits = { failuresMax: 3, restarts: { restartsMax: 2, windowMs: 1000 } }
const exit = (exitCode: number): ProbeEnding => ({ kind: 'exited', exitCode })
const timeout: ProbeEnding = { kind: 'timed-out' }
const didNotRun: ProbeEnding = { kind: 'did-not-run' }

function verdicts(endings: readonly ProbeEnding[], failuresMax = limits.failuresMax): readonly ProbeVerdict[] {
  let history = NEW_PROBE_HISTORY
  return endings.map((ending) => {
    const judged = probeVerdict(history, ending, { ...limits, failuresMax })
    history = judged.history
    return judged.verdict
  })
}

describe('probeVerdict', () => {
  test.each([
    ['exit 0 is healthy', [exit(0)], ['healthy']],
    ['failures in a row', [exit(1), exit(1), exit(1)], ['suspect', 'suspect', 'failed']],
    ['any other exit code is a failure', [exit(2), exit(127), exit(1)], ['suspect', 'suspect', 'failed']],
    ['health clears', [exit(1), exit(1), exit(0), exit(1)], ['suspect', 'suspect', 'healthy', 'suspect']],
    [
      'who cannot tell neither adds nor clears',
      [exit(1), exit(75), exit(1), exit(75), exit(1)],
      ['suspect', 'abstains', 'suspect', 'abstains', 'failed'],
    ],
    ['two whole timeouts', [timeout, timeout], ['suspect', 'failed']],
    ['an answer between two timeouts', [timeout, exit(1), timeout], ['suspect', 'suspect', 'suspect']],
    [
      'a timeout does not clear failures',
      [exit(1), exit(1), timeout, exit(1)],
      ['suspect', 'suspect', 'suspect', 'failed'],
    ],
    ['a probe that was killed says nothing', [timeout, didNotRun, timeout], ['suspect', 'abstains', 'failed']],
  ] as const)('%s', (_rule, endings, expected) => {
    expect(verdicts(endings)).toEqual(expected)
  })

  test('one timeout is never a failure, however strict the limits', () => {
    expect(verdicts([timeout], 1)).toEqual(['suspect'])
    expect(verdicts([exit(1)], 1)).toEqual(['failed'])
  })
})

describe('remedyForFailure', () => {
  test('restarts here while the budget of the window lasts, then asks for a takeover', () => {
    let history = NEW_PROBE_HISTORY
    const remedies = [100, 200, 300, 2000].map((nowMs) => {
      const decided = remedyForFailure(history, nowMs, limits)
      history = decided.history
      return decided.remedy
    })
    expect(remedies).toEqual(['restart', 'restart', 'ask-for-takeover', 'restart'])
  })

  test('a restarted service is judged afresh', () => {
    const { history } = remedyForFailure({ failuresInARow: 3, timeoutsInARow: 1, restartsMs: [] }, 100, limits)
    expect(history).toEqual({ failuresInARow: 0, timeoutsInARow: 0, restartsMs: [100] })
  })
})

test('the list of restarts stays bounded', () => {
  let restartsMs: readonly number[] = []
  for (let nowMs = 0; nowMs < 100; nowMs += 1) {
    restartsMs = addRestart(restartsMs, nowMs, limits.restarts).restartsMs
  }
  expect(restartsMs).toEqual([97, 98, 99])
})
