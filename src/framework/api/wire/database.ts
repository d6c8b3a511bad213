/** Answer to `GET /v1/database/check` (`scadmin database check` while clustd runs). */
export interface DatabaseCheckJson {
  readonly revision: number
  readonly records: number
  /** Bytes of JSON in all records, and the most that are allowed. */
  readonly sizeBytes: number
  readonly sizeBytesMax: number
  /** What is wrong, one line each; empty = sound. */
  readonly problems: readonly string[]
}

/** Answer to `GET /v1/database/backup` and body of `POST /v1/database/restore`: the text of a backup file, byte for byte. */
export interface BackupFileJson {
  readonly text: string
}

/** Answer to `POST /v1/database/restore`. */
export interface RestoredJson {
  /** Revision and time of the backup that was restored. */
  readonly fromRevision: number
  readonly takenWallMs: number
  readonly records: number
}
