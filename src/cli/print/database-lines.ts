import type { DatabaseCheckJson } from '../../framework/api/wire.ts'

/** Writes what a check of a sound cluster database found. */
export function checkLines({ revision, records, sizeBytes, sizeBytesMax }: DatabaseCheckJson): readonly string[] {
  const percent = ((sizeBytes / sizeBytesMax) * 100).toFixed(1)
  return [
    `The cluster database is sound: revision ${revision}, ${records} records, ${sizeBytes} bytes (${percent} % of what it may hold).`,
  ]
}
