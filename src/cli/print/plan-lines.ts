import type { ExpectedJson, PlanHalfJson, PlanJson, PlanStepJson } from '../../framework/api/wire.ts'
import { writeDuration, writeLimit } from './duration.ts'
import { type Cell, cutText, renderTable } from './table.ts'

/** Characters of a step's sentence in the table: what is left of 100 columns. */
const SENTENCE_MAX = 56

/** Writes a plan: why, a table of its steps per host with how long they may and usually do take, and how to carry it out. */
export function planLines(plan: PlanJson): readonly string[] {
  if (plan.nothingToDo) return [`Nothing would have to be done: ${plan.cause.sentence}.`, ...reasonLines(plan)]
  return [
    `Plan${plan.id === null ? '' : ` ${plan.id}`}: ${plan.cause.sentence}`,
    ...reasonLines(plan),
    ...plan.warnings.map((warning) => `  WARNING: ${warning}`),
    '',
    ...renderTable([HEAD, ...plan.halves.flatMap(halfRows), ...totalRows(plan)]),
    '',
    ...historyNote(plan),
    ...(plan.id === null ? [] : [`Nothing was done. To do exactly this: haswitch --apply ${plan.id}`]),
  ]
}

const HEAD: readonly Cell[] = ['STEP', { right: 'USUALLY' }, { right: 'WORST' }, { right: 'LIMIT' }]

function reasonLines(plan: PlanJson): readonly string[] {
  return plan.because.map(({ logicalHost, sentence }) => `  ${logicalHost}: ${sentence}`)
}

function halfRows(half: PlanHalfJson): readonly (readonly Cell[])[] {
  const head: readonly Cell[] = [`${half.logicalHost}: ${half.sentence}`, ...expectedCells(half.expected), '']
  return [head, ...half.steps.map(stepRow)]
}

function stepRow(step: PlanStepJson): readonly Cell[] {
  const sentence = cutText(`${step.sentence}${onFailure(step)}`, SENTENCE_MAX)
  return [`  ${sentence}`, ...expectedCells(step.expected), { right: writeLimit(step.timeoutMs) }]
}

function onFailure({ ifItFails, ladder }: PlanStepJson): string {
  return ifItFails === 'ladder' && ladder.length > 0 ? ` (if it fails: ${ladder.join(', ')})` : ''
}

function totalRows({ expected }: PlanJson): readonly (readonly Cell[])[] {
  return expected === null ? [] : [['all of it, side by side', ...expectedCells(expected), '']]
}

function expectedCells(expected: ExpectedJson | null): readonly Cell[] {
  if (expected === null) return [{ right: '-' }, { right: '-' }]
  return [{ right: writeDuration(expected.medianMs) }, { right: writeDuration(expected.worstMs) }]
}

function historyNote({ expected }: PlanJson): readonly string[] {
  if (expected === null) return ['None of these steps has run here before: how long they take is not known.']
  const runs = expected.samples === 1 ? 'one former run' : `${expected.samples} former runs or more of each step`
  return [`USUALLY (median) and WORST are from ${runs}; "-" has never run here.`]
}
