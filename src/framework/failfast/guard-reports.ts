import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuardReport } from '../model/guard-report.ts'
import { guardPlaces } from './guard-files.ts'
import { decodeLine, encodeText } from './guard-orders.ts'

/** Reports kept per host: enough to see a pattern, few enough to be read. */
const REPORTS_MAX = 20

/** Keeps a report for the next clustd and for `scadmin history`; removes the oldest beyond the bound. */
export async function writeGuardReport(root: string, report: GuardReport): Promise<void> {
  const { reports } = guardPlaces(root)
  await mkdir(reports, { recursive: true, mode: 0o700 })
  const draft = join(reports, `.${report.firedWallMs}`)
  await writeFile(draft, encodeText(report), { mode: 0o600 })
  await rename(draft, join(reports, nameOf(report)))
  const names = await listReports(reports)
  await Promise.all(names.slice(REPORTS_MAX).map((name) => rm(join(reports, name), { force: true })))
}

/** Reads the kept reports of this host, newest first; empty when there are none. One that is damaged is left out. */
export async function readGuardReports(root: string): Promise<readonly GuardReport[]> {
  const { reports } = guardPlaces(root)
  const texts = await Promise.all(
    (await listReports(reports)).map((name) => readFile(join(reports, name), 'utf8').catch(() => '')),
  )
  return texts.map((text) => decodeLine<GuardReport>(text)).filter((report) => report !== undefined)
}

/** By name, which begins with the time: newest first. */
async function listReports(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => [])
  return names
    .filter((name) => !name.startsWith('.'))
    .sort()
    .reverse()
}

function nameOf({ firedWallMs }: GuardReport): string {
  return String(firedWallMs).padStart(16, '0')
}
