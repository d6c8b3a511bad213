// @ts-check

/**
 * What a timeline must show, as `host: step` in order.
 * @typedef {{ state: string, steps: string[], isWithoutGap: boolean }} Judged
 */

/**
 * Takes out of `scadmin timeline N --json` what the demo has to see in it.
 * @param {any} timeline
 * @param {string} logicalHost
 * @returns {Judged}
 */
export function judgeTimeline(timeline, logicalHost) {
  const lane = timeline.lanes.find((/** @type {any} */ one) => one.logicalHost === logicalHost)
  /** @type {any[]} */
  const spans = lane?.spans ?? []
  const steps = spans.filter(({ kind }) => kind === 'step')
  return {
    state: timeline.state,
    steps: steps.map(({ host, step }) => `${host}: ${step.sentence}: ${step.outcome}`),
    isWithoutGap: isWithoutGap(spans, lane?.durationMs),
  }
}

/**
 * Writes down what a complete timeline is.
 * @param {string[]} steps
 * @returns {Judged}
 */
export function complete(...steps) {
  return { state: 'done', steps: steps.map((step) => `${step}: done`), isWithoutGap: true }
}

/** A millisecond that nobody accounts for is a gap; times are fractions of one. */
const ROUNDING_MS = 1

/** @param {any[]} spans @param {number} durationMs */
function isWithoutGap(spans, durationMs) {
  let at = 0
  for (const span of spans) {
    if (Math.abs(span.fromMs - at) > ROUNDING_MS) return false
    at = span.fromMs + span.durationMs
  }
  return Math.abs(at - durationMs) <= ROUNDING_MS
}
