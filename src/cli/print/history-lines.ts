import type { GuardReportJson, HistoryJson } from '../../framework/api/wire.ts'
import { writeDuration, writeTime } from './duration.ts'
import { type Cell, cutText, renderTable } from './table.ts'

/** Writes what happened: one line per reconfiguration, oldest first, and what the guard of this host did in former lives. */
export function historyLines(history: HistoryJson): readonly string[] {
  const rows = history.reconfigurations.map(({ number, atWallMs, state, durationMs, cause }): readonly Cell[] => [
    { right: String(number) },
    writeTime(atWallMs),
    state,
    { right: durationMs === null ? '-' : writeDuration(durationMs) },
    cutText(cause.sentence, 56),
  ])
  const head: readonly Cell[] = [{ right: 'NUMBER' }, 'WHEN', 'STATE', { right: 'TOOK' }, 'CAUSE']
  return [
    ...(rows.length === 0 ? ['There has been no reconfiguration.'] : renderTable([head, ...rows])),
    ...guardLines(history.guardReports),
  ]
}

/** Writes what the guard stopped, newest first; nothing when it never had to. */
export function guardLines(reports: readonly GuardReportJson[]): readonly string[] {
  if (reports.length === 0) return []
  return ['', 'The guard of this host stopped what it mastered:', ...reports.flatMap(reportLines)]
}

function reportLines({ firedWallMs, why, tookMs, stopped, leftovers }: GuardReportJson): readonly string[] {
  return [
    `  ${writeTime(firedWallMs)}  ${why}; stopped within ${writeDuration(tookMs)}: ${stopped.join(', ') || 'nothing'}`,
    ...leftovers.map((leftover) => `    left over: ${leftover}`),
  ]
}
