import { z } from 'zod'
import { HaError } from '../errors/ha-error.ts'
import type { VoterSpeed } from '../model/voter-speed.ts'
import type { Answer, Gateway } from './gateway.ts'

/** A local question; etcd answers it in a millisecond. */
const LOOK_WITHIN_MS = 1000
/** A change has to be agreed on, perhaps after an election. */
const CHANGE_WITHIN_MS = 5000
const SYNC_METRIC = 'etcd_disk_wal_fsync_duration_seconds'
/** A file of some hundred megabytes is written anew. */
const DEFRAGMENT_WITHIN_MS = 30_000

/** One member of etcd, as every other one knows it. */
export interface EtcdMember {
  readonly id: string
  /** Empty: it was added and has never started. */
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly clientUrls: readonly string[]
  readonly isLearner: boolean
}

/** What one etcd says of itself. */
export interface EtcdStatus {
  readonly id: string
  /** Member id of the leader; '0' = it knows none. */
  readonly leader: string
  readonly isLearner: boolean
  readonly raftIndex: number
  readonly appliedIndex: number
  readonly sizeBytes: number
  readonly version: string
}

/** Why etcd did not do what it was asked to: the number is one of gRPC's, of which Haven tells three. */
export type Refusal = 'not-found' | 'not-now' | 'unavailable' | 'other'

/** How a change ended. */
export type Changed =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly why: Refusal; readonly message: string }

// The gateway leaves out what is empty, zero or false.
const id = z.string().default('0')
const count = z.string().default('0').transform(Number)
const memberShape = z
  .object({
    ID: id,
    name: z.string().default(''),
    peerURLs: z.array(z.string()).default([]),
    clientURLs: z.array(z.string()).default([]),
    isLearner: z.boolean().default(false),
  })
  .transform(
    ({ ID, name, peerURLs, clientURLs, isLearner }): EtcdMember => ({
      id: ID,
      name,
      peerUrls: peerURLs,
      clientUrls: clientURLs,
      isLearner,
    }),
  )
const membersShape = z.object({ members: z.array(memberShape).default([]) })
const statusShape = z
  .object({
    header: z.object({ member_id: id }),
    leader: id,
    isLearner: z.boolean().default(false),
    raftIndex: count,
    raftAppliedIndex: count,
    dbSize: count,
    version: z.string().default(''),
  })
  .transform(
    (said): EtcdStatus => ({
      id: said.header.member_id,
      leader: said.leader,
      isLearner: said.isLearner,
      raftIndex: said.raftIndex,
      appliedIndex: said.raftAppliedIndex,
      sizeBytes: said.dbSize,
      version: said.version,
    }),
  )
const alarmsShape = z.object({
  alarms: z.array(z.object({ memberID: id, alarm: z.string().default('NONE') })).default([]),
})
/** etcd 3.4 calls the sentence `error`, and `message` as well since 3.5; where etcd is built with the second version of the gateway, it is `message` alone. */
const refusalShape = z
  .object({ code: z.number(), error: z.string().optional(), message: z.string().optional() })
  .transform(({ code, error, message }) => ({ code, error: error ?? message ?? 'etcd does not say why' }))
/** What was done is answered with where, or (a change of the leader) with nothing at all. */
const doneShape = z.union([z.object({ header: z.object({}) }), z.strictObject({})])

/** The questions to etcd that looking after voters takes, each with its own deadline. All throw `DATABASE_UNAVAILABLE` when there is no answer. */
export class EtcdCalls {
  readonly #gateway: Gateway

  constructor(gateway: Gateway) {
    this.#gateway = gateway
  }

  /** Lists the members as the asked one knows them. */
  async members(endpoint: string): Promise<readonly EtcdMember[]> {
    const answer = await this.#ask(endpoint, '/v3/cluster/member/list', {})
    return parse(membersShape, answer, endpoint).members
  }

  async status(endpoint: string): Promise<EtcdStatus> {
    return parse(statusShape, await this.#ask(endpoint, '/v3/maintenance/status', {}), endpoint)
  }

  async addLearner(endpoint: string, peerUrls: readonly string[]): Promise<Changed> {
    return this.#change(endpoint, '/v3/cluster/member/add', { peerURLs: peerUrls, isLearner: true })
  }

  /** Tells all members where the others speak to this one from now on. */
  async updateMember(endpoint: string, id: string, peerUrls: readonly string[]): Promise<Changed> {
    return this.#change(endpoint, '/v3/cluster/member/update', { ID: id, peerURLs: peerUrls })
  }

  async removeMember(endpoint: string, id: string): Promise<Changed> {
    return this.#change(endpoint, '/v3/cluster/member/remove', { ID: id })
  }

  /** Makes a learner a voter; `not-now` while it has not caught up. */
  async promote(endpoint: string, id: string): Promise<Changed> {
    return this.#change(endpoint, '/v3/cluster/member/promote', { ID: id })
  }

  /** Hands the lead over; only the leader can be asked. */
  async transferLead(leaderEndpoint: string, toId: string): Promise<Changed> {
    return this.#change(leaderEndpoint, '/v3/maintenance/transfer-leadership', { targetID: toId })
  }

  /** How often this member has waited for its disk, in this life of it, and how long together: the histogram that etcd keeps of its log. */
  async syncs(endpoint: string): Promise<VoterSpeed['syncs']> {
    const text = await this.#gateway.read({ endpoint, path: '/metrics', withinMs: LOOK_WITHIN_MS })
    const figure = (name: string): number => {
      const line = text.split('\n').find((one) => one.startsWith(`${SYNC_METRIC}_${name} `))
      const value = Number(line?.split(' ')[1])
      if (line !== undefined && Number.isFinite(value)) return value
      throw new HaError('DATABASE_UNAVAILABLE', `etcd at ${endpoint} does not say ${SYNC_METRIC}_${name}`)
    }
    return { count: figure('count'), totalMs: figure('sum') * 1000 }
  }

  /** Whether this member has said that its file is full; then all of them refuse commits. */
  async isFull(endpoint: string, id: string): Promise<boolean> {
    const { alarms } = parse(
      alarmsShape,
      await this.#ask(endpoint, '/v3/maintenance/alarm', { action: 'GET' }),
      endpoint,
    )
    return alarms.some(({ memberID, alarm }) => memberID === id && alarm === 'NOSPACE')
  }

  /** Gives the space back that compaction has freed, and takes the alarm of a full file back. It stands still meanwhile. */
  async makeSpace(endpoint: string, id: string): Promise<void> {
    await this.#gateway.ask({ endpoint, path: '/v3/maintenance/defragment', body: {}, withinMs: DEFRAGMENT_WITHIN_MS })
    await this.#change(endpoint, '/v3/maintenance/alarm', { action: 'DEACTIVATE', memberID: id, alarm: 'NOSPACE' })
  }

  /** Reads one key as it is known to the asked member itself, which may be behind; undefined when it is not there. */
  async valueOf(endpoint: string, key: string): Promise<string | undefined> {
    const shape = z.object({ kvs: z.array(z.object({ value: z.string().default('') })).default([]) })
    const answer = await this.#ask(endpoint, '/v3/kv/range', { key: encode(key), serializable: true })
    const value = parse(shape, answer, endpoint).kvs[0]?.value
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8')
  }

  /** Takes a name that nobody holds, for `ttlS` seconds at most. False when somebody else has it. */
  async take(endpoint: string, key: string, owner: string, ttlS: number): Promise<boolean> {
    const granted = await this.#gateway.ask({
      endpoint,
      path: '/v3/lease/grant',
      body: { TTL: String(ttlS) },
      withinMs: CHANGE_WITHIN_MS,
    })
    const { ID } = parse(z.object({ ID: id }), granted, endpoint)
    const put = { request_put: { key: encode(key), value: encode(owner), lease: ID } }
    const compare = [{ target: 'CREATE', key: encode(key), create_revision: '0' }]
    const path = '/v3/kv/txn'
    const answer = await this.#gateway.ask({
      endpoint,
      path,
      body: { compare, success: [put] },
      withinMs: CHANGE_WITHIN_MS,
    })
    return parse(z.object({ succeeded: z.boolean().default(false) }), answer, endpoint).succeeded
  }

  /** Gives a name back. */
  async giveBack(endpoint: string, key: string): Promise<void> {
    const body = { key: encode(key) }
    await this.#gateway.ask({ endpoint, path: '/v3/kv/deleterange', body, withinMs: CHANGE_WITHIN_MS })
  }

  #ask(endpoint: string, path: string, body: unknown): Promise<Answer> {
    return this.#gateway.ask({ endpoint, path, body, withinMs: LOOK_WITHIN_MS })
  }

  async #change(endpoint: string, path: string, body: unknown): Promise<Changed> {
    const answer = await this.#gateway.ask({ endpoint, path, body, withinMs: CHANGE_WITHIN_MS })
    const refusal = refusalShape.safeParse(answer)
    if (!refusal.success) {
      parse(doneShape, answer, endpoint)
      return { kind: 'done' }
    }
    const { code, error } = refusal.data
    return { kind: 'refused', why: REFUSALS.get(code) ?? 'other', message: error }
  }
}

/** gRPC's codes NOT_FOUND, FAILED_PRECONDITION, UNAVAILABLE and DEADLINE_EXCEEDED. */
const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [5, 'not-found'],
  [9, 'not-now'],
  [14, 'unavailable'],
  [4, 'unavailable'],
])

function parse<Value>(shape: z.ZodType<Value>, answer: Answer, endpoint: string): Value {
  const refusal = refusalShape.safeParse(answer)
  if (refusal.success) {
    throw new HaError('DATABASE_UNAVAILABLE', `etcd at ${endpoint} refuses: ${refusal.data.error}`)
  }
  const parsed = shape.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new HaError('DATABASE_UNAVAILABLE', `etcd at ${endpoint} answers what Haven does not understand`, {
    details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  })
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}
