import type { FastifyInstance } from 'fastify'
import { checkConfiguration } from '../../configure/check-configuration.ts'
import { configurationOf } from '../../configure/configuration.ts'
import { DATABASE_SIZE_BYTES_MAX, type Snapshot } from '../../ports/cluster-database.ts'
import { readBackup, writeBackup } from '../backup.ts'
import { parseRequest } from '../parse-request.ts'
import { backupShape } from '../request-shapes.ts'
import type { RouteContext } from '../route-context.ts'
import type { BackupFileJson, DatabaseCheckJson, RestoredJson } from '../wire.ts'

/** Adds what `scadmin database` does while clustd runs. */
export function addDatabaseRoutes(app: FastifyInstance, { services, facts }: RouteContext): void {
  app.get('/v1/database/check', async (): Promise<DatabaseCheckJson> => {
    const snapshot = await services.snapshot()
    return {
      revision: snapshot.revision,
      records: snapshot.records.size,
      sizeBytes: sizeOf(snapshot),
      sizeBytesMax: DATABASE_SIZE_BYTES_MAX,
      problems: checkConfiguration(configurationOf(services.state())).map(({ message }) => message),
    }
  })

  app.get('/v1/database/backup', async (): Promise<BackupFileJson> => {
    const snapshot = await services.snapshot()
    return { text: writeBackup(services.identity().cluster, snapshot, facts.effects.nowWallMs()) }
  })

  app.post('/v1/database/restore', async (request): Promise<RestoredJson> => {
    const { text } = parseRequest(backupShape, request.body, 'backup')
    const { records, revision, takenWallMs } = readBackup(text, services.identity().cluster)
    await services.restore(records)
    return { fromRevision: revision, takenWallMs, records: records.size }
  })
}

function sizeOf({ records }: Snapshot): number {
  return [...records.values()].reduce((total, { value }) => total + Buffer.byteLength(JSON.stringify(value)), 0)
}
