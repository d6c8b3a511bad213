import type { IKeyValue, IRangeRequest, IRangeResponse } from 'etcd3'
import { HaError } from '../../errors/ha-error.ts'
import type { DatabaseRecord, Json, RecordKey, Snapshot } from '../../ports/cluster-database.ts'
import { deepFreeze } from '../prepare-commit.ts'
import type { Endpoints } from './endpoints.ts'
import { readFailure } from './failure.ts'
import type { Keyspace } from './keyspace.ts'
import { PAGE_RECORDS_MAX, PATIENCE, READ_TRIES_MAX } from './limits.ts'

/** Reads all records at one revision, page by page. */
export class Reader {
  readonly #keyspace: Keyspace
  readonly #endpoints: Endpoints
  /** What was read last: a record of the same revision is not parsed again. */
  #last: ReadonlyMap<RecordKey, DatabaseRecord> = new Map()

  readonly #onJunk: (error: HaError) => void

  /** `onJunk` is told of what Haven never wrote, which then counts as absent; left out: a reading fails with that. */
  constructor(keyspace: Keyspace, endpoints: Endpoints, onJunk?: (error: HaError) => void) {
    this.#keyspace = keyspace
    this.#endpoints = endpoints
    this.#onJunk =
      onJunk ??
      ((error) => {
        throw error
      })
  }

  /** Rejects with an `EtcdFailure`, and with `RECORD_INVALID` when there is something that Haven never wrote. */
  async read(): Promise<Snapshot> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#readPages()
      } catch (error) {
        // Somebody compacted history away between two pages.
        if (error instanceof HaError || readFailure(error).kind !== 'compacted' || tries >= READ_TRIES_MAX) throw error
      }
    }
  }

  /** Reads one record of etcd as it is told by a watch. Throws `RECORD_INVALID`. */
  parse(key: RecordKey, found: IKeyValue): DatabaseRecord {
    return { key, value: parseValue(this.#keyspace, found), revision: Number(found.mod_revision) }
  }

  async #readPages(): Promise<Snapshot> {
    const records = new Map<RecordKey, DatabaseRecord>()
    let request: IRangeRequest = { ...this.#keyspace.records, limit: PAGE_RECORDS_MAX }
    for (;;) {
      const page = request
      const withinMs = this.#endpoints.callMs * PATIENCE
      const { answer } = await this.#endpoints.ask((channel) => channel.call<IRangeResponse>('KV', 'range', page), {
        withinMs,
      })
      const revision = Number(request.revision ?? answer.header.revision)
      for (const found of answer.kvs) {
        const record = this.#take(found)
        if (record !== undefined) records.set(record.key, record)
      }
      const last = answer.kvs.at(-1)
      if (!answer.more || last === undefined) {
        this.#last = records
        return { revision, records }
      }
      request = { ...request, key: Buffer.concat([last.key, Buffer.from([0])]), revision }
    }
  }

  #take(found: IKeyValue): DatabaseRecord | undefined {
    const key = this.#keyspace.recordOf(found.key)
    if (key === undefined) return undefined
    try {
      return this.#known(key, found) ?? this.parse(key, found)
    } catch (error) {
      if (!(error instanceof HaError)) throw error
      this.#onJunk(error)
      return undefined
    }
  }

  #known(key: RecordKey, { mod_revision: revision }: IKeyValue): DatabaseRecord | undefined {
    const known = this.#last.get(key)
    return known?.revision === Number(revision) ? known : undefined
  }
}

function parseValue(keyspace: Keyspace, { key, value }: IKeyValue): Json {
  try {
    return deepFreeze(JSON.parse(value.toString()) as Json)
  } catch (cause) {
    throw new HaError('RECORD_INVALID', `${key.toString()} in etcd does not hold what Haven writes`, {
      hint: `Nothing but Haven may write below ${keyspace.prefix}. Look at it with etcdctl get; if it is not Haven's, remove it with etcdctl del.`,
      cause,
    })
  }
}
