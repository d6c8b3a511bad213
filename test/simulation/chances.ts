import type { Random } from './random.ts'

/** How often things go wrong. Every figure is a probability for one call. */
export interface Chances {
  readonly methodFails: number
  readonly methodHangs: number
  readonly methodSlow: number
  readonly driverFails: number
  readonly driverHangs: number
  readonly processUnkillable: number
  readonly requestLost: number
  readonly answerLost: number
  readonly watchGap: number
  readonly watchRepeats: number
  readonly watchLate: number
  readonly datagramLost: number
  readonly datagramLate: number
}

/** Nothing goes wrong. */
export const NO_CHANCES: Chances = {
  methodFails: 0,
  methodHangs: 0,
  methodSlow: 0,
  driverFails: 0,
  driverHangs: 0,
  processUnkillable: 0,
  requestLost: 0,
  answerLost: 0,
  watchGap: 0,
  watchRepeats: 0,
  watchLate: 0,
  datagramLost: 0,
  datagramLate: 0,
}

/** Draws how often things go wrong in one history: most of them seldom, so that each history has a character of its own. */
export function drawChances(random: Random): Chances {
  const seldom = (most: number): number => (random.chance(0.5) ? 0 : random.between(0, most))
  return {
    methodFails: seldom(0.15),
    methodHangs: seldom(0.05),
    methodSlow: seldom(0.3),
    driverFails: seldom(0.05),
    driverHangs: seldom(0.03),
    processUnkillable: seldom(0.03),
    requestLost: seldom(0.01),
    answerLost: seldom(0.01),
    watchGap: seldom(0.1),
    watchRepeats: seldom(0.2),
    watchLate: seldom(0.3),
    datagramLost: seldom(0.3),
    datagramLate: seldom(0.1),
  }
}
