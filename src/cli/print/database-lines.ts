import type { DatabaseCheckJson } from '../../framework/api/wire.ts'

/** Writes what a check of a sound cluster database found; `notes` are what the next start deals with by itself. */
export function checkLines(checked: DatabaseCheckJson & { readonly notes?: readonly string[] }): readonly string[] {
  const { revision, records, sizeBytes, sizeBytesMax, notes = [] } = checked
  const percent = ((sizeBytes / sizeBytesMax) * 100).toFixed(1)
  return [
    `The cluster database is sound: revision ${revision}, ${records} records, ${sizeBytes} bytes (${percent} % of what it may hold).`,
    ...notes,
  ]
}

/** What a move of the cluster database to another place came to. */
interface Migrated {
  readonly from: string
  readonly to: string
  readonly records: number
  readonly heldMs: number
  readonly warnings: readonly string[]
}

/** Writes what a move of the cluster database came to. */
export function migratedLines({ from, to, records, heldMs, warnings }: Migrated): readonly string[] {
  return [
    `The cluster database has moved from ${from} to ${to}: ${records} records. It took no commits for ${Math.ceil(heldMs)} ms.`,
    'Hosts that run have gone along. Keep the former directory until every host of this machine was started once.',
    ...warnings,
  ]
}
