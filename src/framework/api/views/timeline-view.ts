import type { LogicalHostName } from '../../model/names.ts'
import type { Cause } from '../../model/reconfiguration.ts'
import type { HalfRun, Progress } from '../../model/timeline.ts'
import { groupBy, isWaitedFor } from '../expected-durations.ts'
import { followedBy, type Reach, type ReconfigurationFacts, reachesOf } from '../reconfiguration-state.ts'
import type { LaneJson, TimelineHalfJson, TimelineJson } from '../wire.ts'
import { viewEndedHalf, viewPlannedHalf } from './half-view.ts'
import { viewRow } from './history-view.ts'
import { type LaneEnd, layOutLane } from './lane.ts'

/** What a timeline is made of. */
export interface TimelineFacts extends ReconfigurationFacts {
  readonly progress: readonly Progress[]
  readonly nowWallMs: number
}

/** Shows a reconfiguration as one trace: its cause, the verdict, and where every millisecond went. */
export function viewTimeline(facts: TimelineFacts): TimelineJson {
  const { reconfiguration } = facts
  const reaches = reachesOf(facts)
  const lanes = groupBy(reconfiguration.halves.filter(isWaitedFor), (half) => half.logicalHost)
  return {
    ...viewRow(facts),
    because: reconfiguration.because,
    silences: silencesOf(reconfiguration.cause),
    followedBy: followedBy(facts),
    lanes: [...lanes.keys()].map((logicalHost) =>
      viewLane(facts, logicalHost, endOf(facts, logicalHost, reaches.get(logicalHost))),
    ),
    watches: viewHalves(facts, (half) => !isWaitedFor(half)),
  }
}

function silencesOf(cause: Cause): TimelineJson['silences'] {
  if (cause.kind !== 'hosts-lost') return []
  return cause.hosts.flatMap(({ host, silentMs, evidence }) =>
    silentMs === undefined ? [] : [{ host, silentMs, isFenced: evidence === 'fenced' }],
  )
}

function viewLane(facts: TimelineFacts, logicalHost: LogicalHostName, end: LaneEnd): LaneJson {
  const { reconfiguration, runs } = facts
  const mine = (half: Pick<HalfRun, 'logicalHost' | 'kind'>): boolean =>
    half.logicalHost === logicalHost && isWaitedFor(half)
  return {
    logicalHost,
    because: reconfiguration.because.find((one) => one.logicalHost === logicalHost)?.sentence ?? '',
    ...layOutLane({
      atWallMs: reconfiguration.atWallMs,
      planned: reconfiguration.halves.filter(mine),
      runs: runs.filter(mine),
      end,
    }),
    halves: viewHalves(facts, mine),
  }
}

/** Where a lane ends: now while it runs; when its last state was committed; or, superseded, with its last half. */
function endOf(facts: TimelineFacts, logicalHost: LogicalHostName, reach: Reach | undefined): LaneEnd {
  const { atWallMs, number } = facts.reconfiguration
  if (reach?.kind === 'running') return { atMs: facts.nowWallMs - atWallMs, isRunning: true }
  const at = facts.state.states.get(logicalHost)
  return { atMs: at?.reconfiguration === number ? at.sinceWallMs - atWallMs : null, isRunning: false }
}

function viewHalves(
  facts: TimelineFacts,
  isMeant: (half: Pick<HalfRun, 'logicalHost' | 'kind'>) => boolean,
): readonly TimelineHalfJson[] {
  const { reconfiguration, runs, progress } = facts
  return reconfiguration.halves.filter(isMeant).map((half) => {
    const run = runs.find(
      (one) => one.logicalHost === half.logicalHost && one.host === half.host && one.kind === half.kind,
    )
    return run === undefined ? viewPlannedHalf(facts, half, progress) : viewEndedHalf(run, reconfiguration.atWallMs)
  })
}
