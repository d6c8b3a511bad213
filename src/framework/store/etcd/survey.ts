import type { IAlarmResponse, IMemberListResponse, IStatusResponse, ITxnResponse } from 'etcd3'
import type { EtcdPlace } from '../../model/database-place.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Call, Channel } from './channel.ts'
import type { Answered } from './endpoint.ts'
import { Endpoints } from './endpoints.ts'
import { readFailure } from './failure.ts'
import { OPERATIONS_WANTED, TRANSACTION_OPERATIONS_DEFAULT } from './limits.ts'

/** One endpoint, as it answered. */
export type SurveyedEndpoint =
  | {
      readonly kind: 'answers'
      readonly url: string
      /** Who answers there: a member may be named by several addresses. */
      readonly memberId: string
      readonly version: string
      readonly sizeBytes: number
    }
  | { readonly kind: 'silent'; readonly url: string; readonly why: string }

/** What an etcd says of itself. What it does not say, or not to this user, is undefined. */
export interface EtcdSurvey {
  readonly endpoints: readonly SurveyedEndpoint[]
  readonly voters: number | undefined
  /** Whether transactions may be as large as the biggest of Haven's. */
  readonly takesBigCommits: boolean | undefined
  readonly alarms: readonly string[]
}

/** Asks every endpoint how it is, and the etcd behind them what it allows. Changes nothing, throws nothing: who does not answer is in it. */
export async function surveyEtcd(options: {
  readonly place: EtcdPlace
  readonly effects: Effects
  /** Milliseconds for each question. */
  readonly callMs: number
}): Promise<EtcdSurvey> {
  const endpoints = new Endpoints({
    place: options.place,
    effects: options.effects,
    callMs: () => options.callMs,
    probe: askAlarms,
    log: () => undefined,
  })
  try {
    const [surveyed, voters, takesBigCommits, alarms] = await Promise.all([
      Promise.all(endpoints.all.map((_endpoint, index) => survey(endpoints, index))),
      orUnknown(countVoters(endpoints)),
      orUnknown(askForBigCommits(endpoints)),
      orUnknown(endpoints.ask(askAlarms).then(({ answer }) => answer.alarms.map(({ alarm }) => String(alarm)))),
    ])
    return { endpoints: surveyed, voters, takesBigCommits, alarms: alarms ?? [] }
  } finally {
    endpoints.close()
  }
}

/** Says what an operator should know before a cluster relies on that etcd, one sentence each. */
export function surveyWarnings({ endpoints, voters, takesBigCommits, alarms }: EtcdSurvey): readonly string[] {
  const silent = endpoints.flatMap((endpoint) => (endpoint.kind === 'silent' ? [endpoint] : []))
  const answering = endpoints.flatMap((endpoint) => (endpoint.kind === 'answers' ? [endpoint.memberId] : []))
  const named = new Set(answering).size + silent.length
  const isEven = voters !== undefined && voters % 2 === 0
  return [
    ...silent.map(({ url, why }) => `etcd at ${url} does not answer: ${why}`),
    ...(isEven
      ? [
          `etcd has ${voters} voters: that survives the loss of no more of them than ${voters - 1} would. Add one, on a third machine, or take one out.`,
        ]
      : []),
    ...(voters === 1 ? ['etcd has one voter only: without it nothing can be decided.'] : []),
    ...(voters !== undefined && voters > named
      ? [`etcd has ${voters} voters, and ${named} of them are named: name all of them, so that any may be lost.`]
      : []),
    ...(takesBigCommits === false
      ? [
          `etcd takes no more than ${TRANSACTION_OPERATIONS_DEFAULT} operations in a transaction (or was told so): the loss of a host with more than some thirty logical hosts, and some restores, would be refused. Start it with --max-txn-ops ${OPERATIONS_WANTED}.`,
        ]
      : []),
    ...alarms.map(
      (alarm) => `etcd has raised the alarm ${alarm}: it refuses changes until that is mended (etcdctl alarm list).`,
    ),
  ]
}

async function survey(endpoints: Endpoints, index: number): Promise<SurveyedEndpoint> {
  const endpoint = endpoints.all[index]
  const url = endpoint?.url ?? ''
  try {
    const call = endpoint?.call((channel) => channel.call<IStatusResponse>('Maintenance', 'status', {}))
    if (call === undefined) return { kind: 'silent', url, why: 'it is not named' }
    const { header, version, dbSize } = await endpoints.answerOf(call)
    return { kind: 'answers', url, memberId: header.member_id, version, sizeBytes: Number(dbSize) }
  } catch (error) {
    return { kind: 'silent', url, why: readFailure(error).message }
  }
}

async function countVoters(endpoints: Endpoints): Promise<number> {
  const { answer } = await endpoints.ask((channel) => channel.call<IMemberListResponse>('Cluster', 'memberList', {}))
  return answer.members.filter(({ isLearner }) => !isLearner).length
}

/** Asks for as many comparisons with a key that is not there as Haven may ever need: nothing is read and nothing written. */
async function askForBigCommits(endpoints: Endpoints): Promise<boolean> {
  const nothing = { key: Buffer.from('/haven/'), target: 'Mod', result: 'Equal', mod_revision: 0 }
  const request = { compare: Array.from({ length: OPERATIONS_WANTED }, () => nothing) }
  try {
    await endpoints.ask((channel): Call<ITxnResponse & Answered> => channel.call('KV', 'txn', request))
    return true
  } catch (error) {
    if (readFailure(error).kind === 'too-many-operations') return false
    throw error
  }
}

function askAlarms(channel: Channel): Call<IAlarmResponse> {
  return channel.call('Maintenance', 'alarm', { action: 'Get' })
}

async function orUnknown<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked
  } catch {
    return undefined // Not every user may ask everything, and who does not answer is told already.
  }
}
