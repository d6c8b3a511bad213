import type { TimelineJson } from '../src/framework/api/wire.ts'
import { spreadOf } from './figure.ts'
import { digits } from './print-figures.ts'

/** Sums up in one sentence where the time of some like reconfigurations of one logical host went: the median of each step and wait, in order. */
export function whereTimeWent(timelines: readonly TimelineJson[]): string {
  const durations = new Map<string, number[]>()
  for (const { lanes } of timelines) {
    for (const span of lanes.flatMap((lane) => lane.spans)) {
      const name = span.kind === 'step' ? `${span.half} ${wordsOf(span.step.sentence)}` : 'between'
      durations.set(name, [...(durations.get(name) ?? []), span.durationMs])
    }
  }
  const parts = [...durations].map(([name, each]) => {
    const perMove = each.reduce((sum, one) => sum + one, 0) / timelines.length
    return name === 'between' ? `between the steps ${digits(perMove)}` : `${name} ${digits(spreadOf(each).median)}`
  })
  return `ms: ${parts.join(', ')}`
}

/** The first words of a sentence say what is done; the names that follow differ from host to host. */
function wordsOf(sentence: string): string {
  return sentence.split(' ').slice(0, 2).join(' ')
}
