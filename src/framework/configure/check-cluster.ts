import { timingProblems } from '../membership/check-timings.ts'
import { heartbeatProblems } from '../membership/heartbeats.ts'
import type { ClusterConfig } from '../model/cluster-config.ts'
import { TIMEOUT_S_MAX, TIMEOUT_WARNING_S } from './limits.ts'
import type { Problem } from './problem.ts'

/** Facilities of syslog(3) that programs may log to. */
const SYSLOG_FACILITIES = [
  'daemon',
  'user',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
]

/** Most of any budget: a number above it is no bound. */
const BUDGET_MAX = 1_000
/** Longest window of a budget, milliseconds: a week. */
const WINDOW_MS_MAX = 7 * 24 * 3600 * 1000

/** Finds what is wrong with the settings of the cluster. */
export function checkCluster(cluster: ClusterConfig): readonly Problem[] {
  const timings = timingProblems(cluster.timings).map((problem) => invalid(['timings'], problem))
  const heartbeats = heartbeatProblems(cluster.heartbeats, cluster.timings).map((problem) =>
    invalid(['heartbeats'], problem),
  )
  return [...checkTimeouts(cluster), ...timings, ...heartbeats, ...checkBudgets(cluster), ...checkFacility(cluster)]
}

/** Says what is allowed but probably not meant; one sentence each. */
export function clusterWarnings(cluster: ClusterConfig): readonly string[] {
  const short = (what: string, seconds: number): readonly string[] =>
    seconds <= TIMEOUT_WARNING_S
      ? [`The ${what} of ${seconds} s is short: everything that a host has to stop or start must fit into it.`]
      : []
  return [...short('logical host timeout', cluster.logicalHostTimeoutS), ...short('step timeout', cluster.stepTimeoutS)]
}

function checkTimeouts(cluster: ClusterConfig): readonly Problem[] {
  const { logicalHostTimeoutS, stepTimeoutS } = cluster
  const problems = (['logicalHostTimeoutS', 'stepTimeoutS'] as const).flatMap((field) =>
    inRange(field, cluster[field], { min: 2, max: TIMEOUT_S_MAX }),
  )
  if (stepTimeoutS >= logicalHostTimeoutS) return problems
  const message = `the step timeout (${stepTimeoutS} s) is below the logical host timeout (${logicalHostTimeoutS} s)`
  return [
    ...problems,
    invalid(['stepTimeoutS'], message, 'Raise it with scconf -T, or lower the other with scconf -l.'),
  ]
}

function checkBudgets({ budgets }: ClusterConfig): readonly Problem[] {
  const counts = ['takeoversMax', 'evictionsMax', 'parallelMovesMax'] as const
  const windows = ['takeoverWindowMs', 'evictionWindowMs'] as const
  return [
    ...counts.flatMap((field) => inRange(`budgets.${field}`, budgets[field], { min: 1, max: BUDGET_MAX })),
    ...windows.flatMap((field) => inRange(`budgets.${field}`, budgets[field], { min: 1_000, max: WINDOW_MS_MAX })),
  ]
}

function checkFacility({ syslogFacility }: ClusterConfig): readonly Problem[] {
  if (SYSLOG_FACILITIES.includes(syslogFacility)) return []
  const hint = `Facilities are: ${SYSLOG_FACILITIES.join(', ')}.`
  return [invalid(['syslogFacility'], `there is no syslog facility '${syslogFacility}'`, hint)]
}

function inRange(
  field: string,
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): readonly Problem[] {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return []
  return [invalid(field.split('.'), `${field} is ${value}, and must be a whole number from ${min} to ${max}`)]
}

function invalid(path: readonly string[], message: string, hint?: string): Problem {
  return { code: 'CONFIG_INVALID', path: ['cluster', ...path], message, ...(hint !== undefined && { hint }) }
}
