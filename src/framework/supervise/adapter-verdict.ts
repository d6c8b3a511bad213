import type { AdapterTests } from '../model/adapter-tests.ts'
import type { ProbeAnswer } from '../model/network.ts'

/** What is remembered of one adapter. Times are of the own monotonic clock. */
export interface AdapterHistory {
  readonly link: 'up' | 'down' | 'unknown'
  /** Frames that had come in at the last look; undefined: never counted, or the adapter was away. */
  readonly received: number | undefined
  /** When something last came in that shows that the network lives, or the adapter was first looked at. */
  readonly heardMs: number
  /** When something last came in while the network was doubted, which alone shows nothing; minus infinity: nothing did. */
  readonly hintMs: number
  /** When it was last asked whether anybody is there, and nobody could be asked. */
  readonly askedNobodyMs: number
  /** Questions in a row without an answer since something came in. */
  readonly unanswered: number
  /** Since when it works again after it was bad; undefined while it is bad. Minus infinity: it never was. */
  readonly wellSinceMs: number | undefined
}

/** When somebody last doubted the network: what was heard before that says nothing about it. Minus infinity: never. */
export interface Doubt {
  readonly doubtedAtMs: number
}

/** One look at an adapter. */
export interface AdapterLook extends Doubt {
  readonly nowMs: number
  readonly link: AdapterHistory['link']
  /** Undefined when the counters cannot be read. */
  readonly received: number | undefined
}

/**
 * What an adapter is by itself. `testing`: it is asked again because somebody else doubts the network, and nothing speaks against it so far. `silent`: the
 * link is there, but nothing comes in and nobody answers: whether that is its fault only a comparison can tell. `recovering`: it works again, not for long.
 */
export type AdapterVerdict = 'ok' | 'testing' | 'doubtful' | 'silent' | 'link-down' | 'recovering'

/** An adapter that is looked at for the first time: nothing speaks against it. */
export function newAdapter(nowMs: number): AdapterHistory {
  return {
    link: 'unknown',
    received: undefined,
    heardMs: nowMs,
    hintMs: Number.NEGATIVE_INFINITY,
    askedNobodyMs: Number.NEGATIVE_INFINITY,
    unanswered: 0,
    wellSinceMs: Number.NEGATIVE_INFINITY,
  }
}

/** Takes a look in: first the link, then whether anything came in. */
export function lookAtAdapter(
  history: AdapterHistory,
  { nowMs, link, received, doubtedAtMs }: AdapterLook,
  tests: AdapterTests,
): AdapterHistory {
  if (link === 'down') return { ...history, link, received: undefined, unanswered: 0, wellSinceMs: undefined }
  // A link that has just come back gets the time of a healthy one before it is asked about: switches learn for a while.
  const isBack = history.link === 'down'
  const hasGrown = received !== undefined && history.received !== undefined && received > history.received
  const seen = { ...history, link, received, ...(isBack ? { heardMs: nowMs, unanswered: 0 } : {}) }
  const isDoubted = history.unanswered > 0 || history.heardMs < doubtedAtMs
  const isConfirmed = history.hintMs >= doubtedAtMs && nowMs - history.hintMs <= CONFIRMED_WITHIN_MS
  const isHeard = hasGrown && (!isDoubted || isConfirmed)
  const noted = hasGrown ? { ...seen, hintMs: isDoubted ? nowMs : Number.NEGATIVE_INFINITY } : seen
  return judged(isHeard ? { ...noted, heardMs: nowMs, unanswered: 0 } : noted, { nowMs, isHeard }, tests)
}

/**
 * A switch that forwards nothing any more may go on speaking for itself, every two seconds (spanning tree) or seldomer (LLDP). In doubt one frame shows
 * nothing; a second one within this time does.
 */
const CONFIRMED_WITHIN_MS = 1_500

/** Takes the end of a question in. */
export function tookAnswer(
  history: AdapterHistory,
  { answer, nowMs }: { readonly answer: ProbeAnswer; readonly nowMs: number },
  tests: AdapterTests,
): AdapterHistory {
  switch (answer) {
    case 'answered':
      return judged({ ...history, heardMs: nowMs, unanswered: 0 }, { nowMs, isHeard: true }, tests)
    case 'nobody-to-ask':
      return judged({ ...history, askedNobodyMs: nowMs, unanswered: 0 }, { nowMs, isHeard: true }, tests)
    case 'unanswered':
      // More than the limit says nothing new.
      return judged(
        { ...history, unanswered: Math.min(history.unanswered + 1, tests.repeatTests) },
        { nowMs, isHeard: false },
        tests,
      )
  }
}

/** Notes since when an adapter is bad, and since when no longer. */
function judged(
  history: AdapterHistory,
  { nowMs, isHeard }: { readonly nowMs: number; readonly isHeard: boolean },
  tests: AdapterTests,
): AdapterHistory {
  if (history.unanswered >= tests.repeatTests) return { ...history, wellSinceMs: undefined }
  const isWellAgain = history.wellSinceMs === undefined && history.link !== 'down' && isHeard
  return isWellAgain ? { ...history, wellSinceMs: nowMs } : history
}

/** Judges one adapter by what is remembered of it. */
export function adapterVerdict(
  history: AdapterHistory,
  { nowMs, doubtedAtMs }: Doubt & { readonly nowMs: number },
  tests: AdapterTests,
): AdapterVerdict {
  if (history.link === 'down') return 'link-down'
  if (history.unanswered >= tests.repeatTests) return 'silent'
  if (history.unanswered > 0) return 'doubtful'
  if (history.wellSinceMs === undefined || nowMs - history.wellSinceMs < tests.backMs) return 'recovering'
  return mustAsk(history, { nowMs, doubtedAtMs }, tests) ? 'testing' : 'ok'
}

/** Whether it is time to ask over this adapter whether anybody is there. */
export function mustAsk(
  { link, heardMs, askedNobodyMs, unanswered }: AdapterHistory,
  { nowMs, doubtedAtMs }: Doubt & { readonly nowMs: number },
  { inactiveMs }: AdapterTests,
): boolean {
  if (link !== 'up') return false
  const lastMs = Math.max(heardMs, askedNobodyMs)
  return unanswered > 0 || lastMs < doubtedAtMs || nowMs - lastMs >= inactiveMs
}
