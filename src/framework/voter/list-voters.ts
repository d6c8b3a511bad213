import { describeError, HaError } from '../errors/ha-error.ts'
import type { VoterRole, VoterStatus } from '../ports/voters.ts'
import type { EtcdCalls, EtcdMember, EtcdStatus } from './etcd-calls.ts'

/** A voter as etcd knows it, and how it is. */
export interface Seen {
  readonly member: EtcdMember
  /** Undefined = it did not answer. */
  readonly status: EtcdStatus | undefined
  readonly voter: VoterStatus
}

/** Asks all voters how they are. The list is that of the endpoint that answers first. Throws `DATABASE_UNAVAILABLE` when none does. */
export async function seeVoters(calls: EtcdCalls, endpoints: readonly string[]): Promise<readonly Seen[]> {
  const members = await askAny(endpoints, (endpoint) => calls.members(endpoint))
  const answers = await Promise.all(members.map((member) => askOne(calls, member)))
  const statuses = answers.flatMap(({ status }) => status ?? [])
  const lead = Math.max(0, ...statuses.map(({ raftIndex }) => raftIndex))
  const seen = members.map((member, at): Seen => {
    const answer = answers[at] ?? { silent: [] }
    return { member, status: answer.status, voter: toVoter(member, answer, lead) }
  })
  return seen.toSorted((one, other) => (one.voter.name < other.voter.name ? -1 : 1))
}

/** Asks all endpoints at once and takes the first answer: one that is frozen costs nobody any time. Throws `DATABASE_UNAVAILABLE`. */
export async function askAny<Value>(
  endpoints: readonly string[],
  ask: (endpoint: string) => Promise<Value>,
): Promise<Value> {
  try {
    return await Promise.any(endpoints.map(ask))
  } catch (error) {
    const details = error instanceof AggregateError ? error.errors.map(describeError) : [describeError(error)]
    throw new HaError('DATABASE_UNAVAILABLE', 'no voter of the cluster database answers', {
      hint: 'See on each of their machines: scadmin voters',
      details,
      cause: error,
    })
  }
}

interface OneAnswer {
  readonly status?: EtcdStatus
  /** Where it answered. */
  readonly endpoint?: string
  /** Where it did not, although it did elsewhere. */
  readonly silent: readonly string[]
  readonly complaint?: string
}

/** Asks one voter at all of its addresses: it is one voter, and a way to it that is broken should be known before the other one breaks. */
async function askOne(calls: EtcdCalls, { clientUrls, name }: EtcdMember): Promise<OneAnswer> {
  if (clientUrls.length === 0)
    return { silent: [], complaint: name === '' ? 'it has not started yet' : 'it says no endpoint' }
  const asked = await Promise.allSettled(clientUrls.map((endpoint) => calls.status(endpoint)))
  const answered = asked.flatMap((answer, at) =>
    answer.status === 'fulfilled' ? [{ status: answer.value, endpoint: clientUrls[at] ?? '' }] : [],
  )
  const [first] = answered
  if (first === undefined) return { silent: [], complaint: asked.map(reasonOf).join('; ') }
  const silent = clientUrls.filter((url) => !answered.some(({ endpoint }) => endpoint === url))
  return { ...first, silent }
}

function reasonOf(answer: PromiseSettledResult<unknown>): string {
  if (answer.status === 'fulfilled') return ''
  const reason: unknown = answer.reason
  return reason instanceof HaError ? reason.message : describeError(reason)
}

function toVoter(member: EtcdMember, answer: OneAnswer, lead: number): VoterStatus {
  const { status, silent, complaint = '' } = answer
  const hasLeader = status !== undefined && status.leader !== '0'
  return {
    name: member.name === '' ? addressOf(member) : member.name,
    endpoint: answer.endpoint ?? member.clientUrls[0] ?? '',
    endpoints: member.clientUrls,
    silent,
    peerUrls: member.peerUrls,
    role: roleOf(member, status),
    isHealthy: hasLeader,
    complaint: status === undefined ? complaint : hasLeader ? '' : 'it knows no leader',
    lag: status === undefined ? null : Math.max(0, lead - status.appliedIndex),
    sizeBytes: status?.sizeBytes ?? null,
    version: status?.version ?? '',
  }
}

/** Who has not started has not said its name yet. */
function addressOf({ peerUrls: [url = ''], id }: EtcdMember): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : id
}

function roleOf({ id, name, isLearner }: EtcdMember, status: EtcdStatus | undefined): VoterRole {
  if (name === '') return 'joining'
  if (isLearner) return 'learner'
  return status?.leader === id ? 'leader' : 'follower'
}
