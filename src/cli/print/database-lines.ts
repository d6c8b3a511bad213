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
