import type {
  HalfKindJson,
  LaneJson,
  SpanJson,
  TimelineHalfJson,
  TimelineJson,
  TimelineStepJson,
} from '../../framework/api/wire.ts'
import { writeDuration, writeLimit, writeTime } from './duration.ts'
import { cutText, wrapText } from './table.ts'

/** Columns of a line: the tree and a sentence, when it began, how long it took, a bar, of how much. Together 100. */
const SENTENCE = 50
const BEGIN = 9
const TOOK = 9
const BAR = 20

/** A wait between two steps of one half that is shorter than this, and than a hundredth of all, is no line of its own: the line of the half includes it. */
const SHORT_WAIT_MS = 10

/** Writes a reconfiguration as a tree: cause, reasons, and for each logical host every step and every wait, so that each second is accounted for. */
export function timelineLines(timeline: TimelineJson): readonly string[] {
  const scaleMs = Math.max(1, ...timeline.lanes.map(({ durationMs }) => durationMs))
  return [
    `Reconfiguration ${timeline.number}: ${timeline.cause.sentence}`,
    `  ${writeTime(timeline.atWallMs)}, planned by ${timeline.plannedBy}, ${stateOf(timeline)}`,
    ...timeline.silences.map(
      ({ host, silentMs, isFenced }) =>
        `  before that: waited ${writeDuration(silentMs)} for a sign of life of ${host} (${isFenced ? 'until it was fenced' : 'guard + abort + margin'})`,
    ),
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
  const groups = groupSpans(lane.spans, Math.max(SHORT_WAIT_MS, scaleMs / 100))
  const bar = (part: Part): string => barOf(part, scaleMs)
  return [
    `${lane.logicalHost}: ${lane.because}`,
    ...groups.flatMap((group, index) => groupLines(group, { isLast: index === groups.length - 1, bar })),
    ...line({
      sentence: `${lane.logicalHost} in all`,
      tree: '   ',
      fromMs: 0,
      durationMs: lane.durationMs,
      limit: '',
      bar: '',
    }),
    ...(lane.clockSkewMs === 0
      ? []
      : [
          `   the clocks of its hosts disagreed by ${writeDuration(lane.clockSkewMs)}: figures across hosts are as good as that`,
        ]),
    ...lane.halves.filter(({ message }) => message !== '').map((half) => `   ${half.host}: ${half.message}`),
  ]
}

interface Part {
  readonly fromMs: number
  readonly durationMs: number
}

/** Steps of one host in one half, one after the other, with the waits between them; or one wait. */
interface Group extends Part {
  readonly head: string
  readonly rows: readonly SpanJson[]
}

const DOES: Readonly<Record<HalfKindJson, string>> = {
  'give-up': 'gives it up',
  'take-on': 'takes it on',
  adjust: 'changes its services',
  'watch-start': 'starts fault monitors',
  'watch-stop': 'stops fault monitors',
}

/** Puts together what belongs to one half. Waits that are too short to be told apart are part of what they stand in; at an end they take no line. */
function groupSpans(spans: readonly SpanJson[], shortWaitMs: number): readonly Group[] {
  const groups: Group[] = []
  const waits: SpanJson[] = []
  for (const span of spans) {
    if (span.kind === 'waiting') {
      const before = waits.at(-1)
      const isShort = span.durationMs < shortWaitMs
      if (before === undefined || !isShort) waits.push(span)
      else waits.splice(-1, 1, { ...before, durationMs: before.durationMs + span.durationMs })
      continue
    }
    const head = `${span.host} ${DOES[span.half]}`
    const last = groups.at(-1)
    const between = waits.splice(0)
    if (last?.head !== head) {
      groups.push(...between.map(waitGroup), { ...partOf(span), head, rows: [span] })
      continue
    }
    const durationMs = span.fromMs + span.durationMs - last.fromMs
    const told = between.filter((wait) => wait.durationMs >= shortWaitMs)
    groups.splice(-1, 1, { ...last, durationMs, rows: [...last.rows, ...told, span] })
  }
  return [...groups, ...waits.map(waitGroup)].filter(({ durationMs, rows }) => rows.length > 0 || durationMs >= 1)
}

function waitGroup(wait: SpanJson): Group {
  return { ...partOf(wait), head: `wait: ${wait.kind === 'waiting' ? wait.what : ''}`, rows: [] }
}

function partOf({ fromMs, durationMs }: SpanJson): Part {
  return { fromMs, durationMs }
}

interface GroupStyle {
  readonly isLast: boolean
  readonly bar: (part: Part) => string
}

function groupLines(group: Group, { isLast, bar }: GroupStyle): readonly string[] {
  const trunk = isLast ? '   ' : '│  '
  const isWait = group.rows.length === 0
  return [
    ...line({
      ...partOfGroup(group),
      sentence: group.head,
      tree: isLast ? '└─ ' : '├─ ',
      rest: trunk,
      limit: '',
      bar: isWait ? bar(group) : '',
    }),
    ...group.rows.flatMap((row, index) => {
      const isEnd = index === group.rows.length - 1
      const rest = `${trunk}${isEnd ? '   ' : '│  '}`
      const words = { ...partOf(row), tree: `${trunk}${isEnd ? '└─ ' : '├─ '}`, rest, bar: bar(row) }
      if (row.kind === 'waiting') return line({ ...words, sentence: `wait: ${row.what}`, limit: '' })
      return [
        ...line({ ...words, sentence: sentenceOf(row.step), limit: limitOf(row.step) }),
        ...troubleLines(row.step).map((text) => `  ${rest}${text}`),
      ]
    }),
  ]
}

function partOfGroup({ fromMs, durationMs }: Group): Part {
  return { fromMs, durationMs }
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

interface Line extends Part {
  readonly sentence: string
  /** The branches before the sentence, and before further lines of it. */
  readonly tree?: string
  readonly rest?: string
  readonly limit: string
  readonly bar: string
}

function line({ sentence, tree = '', rest = '', fromMs, durationMs, limit, bar }: Line): readonly string[] {
  const [first = '', ...more] = wrapText(sentence, SENTENCE - tree.length)
  const words = cutText(`${tree}${first}`, SENTENCE).padEnd(SENTENCE)
  const begin = `+${writeDuration(fromMs)}`.padStart(BEGIN)
  const took = writeDuration(durationMs).padStart(TOOK)
  return [`  ${words}${begin}${took} ${bar.padEnd(BAR)} ${limit}`.trimEnd(), ...more.map((text) => `  ${rest}${text}`)]
}

/** A bar from when something began to when it ended; at least one character, so that nothing is invisible. */
function barOf(part: Part, scaleMs: number): string {
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
