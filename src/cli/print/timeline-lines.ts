import type {
  HalfKindJson,
  LaneJson,
  SpanJson,
  TimelineHalfJson,
  TimelineJson,
  TimelineStepJson,
} from '../../framework/api/wire.ts'
import { writeDuration, writeLimit, writeTime } from './duration.ts'
import { cutText } from './table.ts'

/** Columns of a line: `  |-- ` and a sentence, when it began, how long it took, of how much, a bar. Together under 100. */
const SENTENCE = 46
const BEGIN = 9
const TOOK = 9
const BAR = 24

/** Writes a reconfiguration as a tree: cause, reasons, and for each logical host every step and every wait, so that each second is accounted for. */
export function timelineLines(timeline: TimelineJson): readonly string[] {
  const scaleMs = Math.max(1, ...timeline.lanes.map(({ durationMs }) => durationMs))
  return [
    `Reconfiguration ${timeline.number}: ${timeline.cause.sentence}`,
    `  ${writeTime(timeline.atWallMs)}, planned by ${timeline.plannedBy}, ${stateOf(timeline)}`,
    ...(timeline.follows === null ? [] : [`  goes on from reconfiguration ${timeline.follows}`]),
    ...(timeline.followedBy === null ? [] : [`  reconfiguration ${timeline.followedBy} goes on from here`]),
    ...(timeline.lanes.length === 0 ? ['  no logical host had to be touched'] : []),
    ...timeline.lanes.flatMap((lane) => ['', ...laneLines(lane, scaleMs)]),
    ...watchLines(timeline.watches),
  ]
}

function stateOf({ state, durationMs }: TimelineJson): string {
  return durationMs === null ? state : `${state} after ${writeDuration(durationMs)}`
}

function laneLines(lane: LaneJson, scaleMs: number): readonly string[] {
  const groups = groupSpans(lane.spans)
  const bar = (part: { readonly fromMs: number; readonly durationMs: number }): string => barOf(part, scaleMs)
  return [
    `${lane.logicalHost}: ${lane.because}`,
    ...groups.flatMap((group, index) => groupLines(group, { isLast: index === groups.length - 1, bar })),
    line({ sentence: `   ${lane.logicalHost} in all`, fromMs: 0, durationMs: lane.durationMs, limit: '', bar: '' }),
    ...(lane.clockSkewMs === 0
      ? []
      : [
          `   the clocks of its hosts disagreed by ${writeDuration(lane.clockSkewMs)}: figures across hosts are as good as that`,
        ]),
    ...lane.halves.filter(({ message }) => message !== '').map((half) => `   ${half.host}: ${half.message}`),
  ]
}

/** Steps of one host in one half, one after the other; or one wait. */
interface Group {
  readonly fromMs: number
  readonly durationMs: number
  readonly head: string
  readonly steps: readonly Extract<SpanJson, { kind: 'step' }>[]
}

const DOES: Readonly<Record<HalfKindJson, string>> = {
  'give-up': 'gives it up',
  'take-on': 'takes it on',
  adjust: 'changes its services',
  'watch-start': 'starts fault monitors',
  'watch-stop': 'stops fault monitors',
}

function groupSpans(spans: readonly SpanJson[]): readonly Group[] {
  const groups: Group[] = []
  for (const span of spans) {
    const { fromMs, durationMs } = span
    if (span.kind === 'waiting') {
      groups.push({ fromMs, durationMs, head: `waiting: ${span.what}`, steps: [] })
      continue
    }
    const head = `${span.host} ${DOES[span.half]}`
    const last = groups.at(-1)
    if (last?.head !== head) groups.push({ fromMs, durationMs, head, steps: [span] })
    else {
      const grown = { ...last, durationMs: fromMs + durationMs - last.fromMs, steps: [...last.steps, span] }
      groups.splice(-1, 1, grown)
    }
  }
  return groups
}

interface GroupStyle {
  readonly isLast: boolean
  readonly bar: (part: { readonly fromMs: number; readonly durationMs: number }) => string
}

function groupLines(group: Group, { isLast, bar }: GroupStyle): readonly string[] {
  const isWait = group.steps.length === 0
  const head = line({
    ...group,
    sentence: `${isLast ? '└─' : '├─'} ${group.head}`,
    limit: '',
    bar: isWait ? bar(group) : '',
  })
  const trunk = isLast ? '   ' : '│  '
  return [
    head,
    ...group.steps.flatMap((span, index) => {
      const branch = index === group.steps.length - 1 ? '└─' : '├─'
      const rest = `${trunk}${index === group.steps.length - 1 ? '   ' : '│  '}`
      return [
        line({
          ...span,
          sentence: `${trunk}${branch} ${sentenceOf(span.step)}`,
          limit: limitOf(span.step),
          bar: bar(span),
        }),
        ...troubleLines(span.step).map((text) => `  ${rest}${text}`),
      ]
    }),
  ]
}

const OUTCOME: Readonly<Record<TimelineStepJson['outcome'], string>> = {
  done: '',
  failed: 'FAILED: ',
  'timed-out': 'TIMED OUT: ',
  skipped: 'skipped: ',
  running: 'running: ',
  waiting: 'to do: ',
}

function sentenceOf(step: TimelineStepJson): string {
  return `${OUTCOME[step.outcome]}${step.onLadder ? 'instead: ' : ''}${step.sentence}`
}

function limitOf({ timeoutMs }: TimelineStepJson): string {
  return `of ${writeLimit(timeoutMs)}`
}

function troubleLines(step: TimelineStepJson): readonly string[] {
  if (step.outcome !== 'failed' && step.outcome !== 'timed-out') return []
  const lists = step.lists === null ? [] : [`called with "${step.lists[0]}" "${step.lists[1]}"`]
  return [...(step.message === '' ? [] : [step.message]), ...lists, ...step.output.map((text) => `| ${text}`)]
}

interface Line {
  readonly sentence: string
  readonly fromMs: number
  readonly durationMs: number
  readonly limit: string
  readonly bar: string
}

function line({ sentence, fromMs, durationMs, limit, bar }: Line): string {
  const words = cutText(sentence, SENTENCE).padEnd(SENTENCE)
  const begin = `+${writeDuration(fromMs)}`.padStart(BEGIN)
  const took = writeDuration(durationMs).padStart(TOOK)
  return `  ${words}${begin}${took} ${bar.padEnd(BAR)} ${limit}`.trimEnd()
}

/** A bar from when something began to when it ended; at least one character, so that nothing is invisible. */
function barOf(part: { readonly fromMs: number; readonly durationMs: number }, scaleMs: number): string {
  const from = Math.min(BAR - 1, Math.floor((part.fromMs / scaleMs) * BAR))
  const length = Math.max(1, Math.round((part.durationMs / scaleMs) * BAR))
  return `${' '.repeat(from)}${'█'.repeat(Math.min(length, BAR - from))}`
}

function watchLines(watches: readonly TimelineHalfJson[]): readonly string[] {
  const rows = watches.map(({ logicalHost, host, kind, state, durationMs, message }) => {
    const took = durationMs === null ? '' : ` in ${writeDuration(durationMs)}`
    return `  ${logicalHost}: ${host} ${DOES[kind]}: ${state}${took}${message === '' ? '' : `: ${message}`}`
  })
  return rows.length === 0 ? [] : ['', 'Beside it, waited for by nobody:', ...rows]
}
