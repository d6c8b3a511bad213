import type { IRangeResponse, IStatusResponse, ITxnResponse } from 'etcd3'
import { z } from 'zod'
import { HaError } from '../../errors/ha-error.ts'
import { describePlace, type EtcdPlace } from '../../model/database-place.ts'
import type { ClusterDatabase } from '../../ports/cluster-database.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Call, Channel } from './channel.ts'
import { Endpoints } from './endpoints.ts'
import { EtcdDatabase } from './etcd-database.ts'
import { wrapEtcdError } from './etcd-errors.ts'
import { Keyspace } from './keyspace.ts'
import { CALL_MS, LAYOUT_SCHEMA } from './limits.ts'

/** How a database in etcd is opened. */
export interface EtcdDatabaseOptions {
  readonly place: EtcdPlace
  readonly cluster: string
  readonly effects: Effects
  /** Makes an empty database when there is none. Default: false. */
  readonly create?: boolean
  /** Takes what an operator should know, one sentence each. Default: dropped. */
  readonly log?: (message: string) => void
  /** Milliseconds within which a volatile commit (a stamp) is answered or given up, at the moment; a fifth of the guard. What is durable, and readings, may take `PATIENCE` times as long. Default: `CALL_MS`. */
  readonly callMs?: () => number
  /** Milliseconds that the opening waits for an etcd that is just coming up. Default: as long as one call. */
  readonly openWithinMs?: number
  /** Given, once it is open, what adds endpoints that were not known yet: voters come while clients run. Default: nobody adds any. */
  readonly onOpened?: (client: { add(endpoints: readonly string[]): void }) => void
  /** Milliseconds between two compactions of etcd's history. Default: never; whoever lives long has to. */
  readonly compactEveryMs?: number
}

const layoutShape = z.object({ schema: z.number().int().positive() })

/**
 * Opens the database of a cluster in etcd. Throws `DATABASE_UNAVAILABLE`, `DATABASE_ABSENT` (and not `create`), `DATABASE_NEWER`, `DATABASE_TOO_OLD` (etcd before 3.4),
 * `DATABASE_DENIED`, `DATABASE_FULL` (while creating), `RECORD_INVALID` (something else is below its prefix).
 */
export async function openEtcdDatabase(options: EtcdDatabaseOptions): Promise<ClusterDatabase> {
  const { place, cluster, effects, log = () => undefined } = options
  const keyspace = new Keyspace(cluster)
  const endpoints = openEndpoints(keyspace, options)
  try {
    await settleLayout(endpoints, keyspace, options)
  } catch (error) {
    endpoints.close()
    throw wrapEtcdError(`the cluster database at ${describePlace(place)} cannot be opened`, error)
  }
  options.onOpened?.(endpoints)
  const writer = [effects.random(), effects.random()].map((part) => part.toString(36).slice(2)).join('')
  return new EtcdDatabase({ keyspace, endpoints, effects, writer, log, compactEveryMs: options.compactEveryMs })
}

/** Makes the connections of a client; none is used yet. */
export function openEndpoints(keyspace: Keyspace, options: EtcdDatabaseOptions): Endpoints {
  const { place, effects, log = () => undefined, callMs = () => CALL_MS } = options
  return new Endpoints({ place, effects, callMs, probe: (channel) => readLayout(channel, keyspace), log })
}

function readLayout(channel: Channel, { layout }: Keyspace): Call<IRangeResponse> {
  return channel.call('KV', 'range', { key: layout })
}

/** Sees to it that the database is there and is one that this version can use. Throws `EtcdFailure` and `HaError`, see `openEtcdDatabase`. */
export async function settleLayout(
  endpoints: Endpoints,
  keyspace: Keyspace,
  options: EtcdDatabaseOptions,
): Promise<void> {
  const { openWithinMs: withinMs = endpoints.callMs } = options
  const { answer } = await endpoints.ask((channel) => readLayout(channel, keyspace), { withinMs })
  await refuseOld(endpoints)
  const found = answer.kvs[0]
  if (found !== undefined) return checkLayout(keyspace, found.value.toString())
  if (options.create !== true) throw absentError(options)
  const request = {
    compare: [{ key: keyspace.layout, target: 'Mod', result: 'Equal', mod_revision: 0 }],
    success: [{ request_put: { key: keyspace.layout, value: Buffer.from(JSON.stringify({ schema: LAYOUT_SCHEMA })) } }],
  }
  await endpoints.ask((channel) => channel.call<ITxnResponse>('KV', 'txn', request), { withinMs })
}

function checkLayout({ prefix, layout }: Keyspace, text: string): void {
  const parsed = layoutShape.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new HaError('RECORD_INVALID', `${layout.toString()} in etcd does not hold what Haven writes`, {
      hint: `Nothing but Haven may write below ${prefix}.`,
    })
  }
  const { schema } = parsed.data
  if (schema <= LAYOUT_SCHEMA) return
  throw new HaError('DATABASE_NEWER', `a newer Haven wrote the cluster database (layout ${schema})`, {
    hint: 'Update Haven on this host.',
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // The shape refuses it, with what to do.
  }
}

/** Only of the members that answer: one that is down now was set up with them. */
async function refuseOld(endpoints: Endpoints): Promise<void> {
  const statuses = await Promise.allSettled(
    endpoints.all.map((endpoint) =>
      endpoints.answerOf(endpoint.call((channel) => channel.call<IStatusResponse>('Maintenance', 'status', {}))),
    ),
  )
  for (const [index, status] of statuses.entries()) {
    if (status.status === 'rejected' || !isTooOld(status.value.version)) continue
    throw new HaError('DATABASE_TOO_OLD', `etcd at ${endpoints.all[index]?.url} is version ${status.value.version}`, {
      hint: 'Haven needs etcd 3.4 or later.',
    })
  }
}

/** Tells whether a version of etcd lacks what Haven needs: progress of watches on demand came with 3.4. */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < 3 || (major === 3 && minor < 4)
}

function absentError({ place, cluster }: EtcdDatabaseOptions): HaError {
  return new HaError('DATABASE_ABSENT', `there is no database of the cluster ${cluster} at ${describePlace(place)}`, {
    hint: 'Make one with `scadmin setup`, or bring one back with `scadmin database restore FILE`.',
  })
}
