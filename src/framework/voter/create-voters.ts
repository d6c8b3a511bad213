import { HaError } from '../errors/ha-error.ts'
import { isSameValue } from '../model/same-value.ts'
import type { VoterSpeed } from '../model/voter-speed.ts'
import type { Effects } from '../ports/effects.ts'
import type { VoterAdmission, VoterCandidate, Voters, VoterTuning } from '../ports/voters.ts'
import type { Changed, EtcdCalls } from './etcd-calls.ts'
import { type Seen, seeVoters } from './list-voters.ts'
import { orderEndpoints } from './order-endpoints.ts'
import { removalProblem } from './quorum.ts'
import { clientEndpoints, peerUrlsOf, VOTER_ADDRESSES_MAX } from './voter-file.ts'

/** Every further one makes commits slower, and seven survive the loss of three. */
const VOTERS_MAX = 7
/**
 * etcd takes a change only when its voters have been connected for five seconds (`--strict-reconfig-check`), so the second of two
 * voters that come in a row has to wait for that.
 */
const AGREED_WITHIN_MS = 8000
const TRY_EVERY_MS = 250

/** What voters are looked after with. */
export interface VotersParts {
  readonly calls: EtcdCalls
  readonly effects: Effects
  readonly cluster: string
  /** Client endpoints that are known here; one that answers is enough. */
  endpoints(): readonly string[]
  /** How the voters are tuned now. */
  tuning(): VoterTuning
  readonly isTls: boolean
  readonly clientPort: number
  readonly peerPort: number
}

/** Makes what adds and removes voters. Any number of these may work at the same time, on any machine: etcd takes one change after the other. */
export function createVoters(parts: VotersParts): Voters {
  const see = (): Promise<readonly Seen[]> => seeVoters(parts.calls, parts.endpoints())
  return {
    list: async () => (await see()).map(({ voter }) => voter),
    admit: (candidate) => admit(parts, candidate, see),
    remove: async (name) => {
      const seen = await see()
      const target = seen.find(({ voter }) => voter.name === name)
      if (target !== undefined) await remove(parts, seen, target)
    },
    measure: async (names) => measure(parts, await see(), names),
    lead: async (name) => lead(parts, await see(), name),
  }
}

async function admit(
  parts: VotersParts,
  candidate: VoterCandidate,
  see: () => Promise<readonly Seen[]>,
): Promise<VoterAdmission> {
  const addresses = candidate.addresses.slice(0, VOTER_ADDRESSES_MAX)
  const place = { ...parts, addresses }
  const peerUrls = peerUrlsOf(place)
  const isCandidate = ({ member }: Seen): boolean => member.peerUrls.some((url) => peerUrls.includes(url))
  const before = await see()
  const former = before.find((seen) => seen.member.name === candidate.name || isCandidate(seen))
  const rest = before.filter((one) => one !== former)
  if (former?.voter.role !== 'joining') {
    if (former !== undefined) await replace(parts, before, former, candidate)
    refuseMore(rest)
    const changed = await untilAgreed(parts, () => parts.calls.addLearner(someEndpoint(rest), peerUrls))
    refuse(changed, `${candidate.name} cannot be added to the voters`)
  } else if (!isSameValue(former.member.peerUrls.toSorted(), peerUrls.toSorted())) {
    // It asks again, with other addresses than the try before.
    const { id } = former.member
    const changed = await untilAgreed(parts, () => parts.calls.updateMember(someEndpoint(rest), id, peerUrls))
    refuse(changed, `the addresses of ${candidate.name} cannot be changed`)
  }
  const others = (await see()).filter((seen) => !isCandidate(seen))
  return {
    cluster: parts.cluster,
    name: candidate.name,
    addresses,
    clientPort: parts.clientPort,
    peerPort: parts.peerPort,
    peerUrls,
    initialCluster: [
      ...others.flatMap(({ member }) => member.peerUrls.map((url) => `${member.name}=${url}`)),
      ...peerUrls.map((url) => `${candidate.name}=${url}`),
    ].join(','),
    token: parts.cluster,
    endpoints: orderEndpoints([...others.map(({ member }) => member.clientUrls), clientEndpoints(place)]),
    isTls: parts.isTls,
    tuning: parts.tuning(),
  }
}

/** Takes the voter out whose place the candidate takes: one that answers is alive, and not to be replaced. */
async function replace(
  parts: VotersParts,
  seen: readonly Seen[],
  former: Seen,
  { name, addresses }: VoterCandidate,
): Promise<void> {
  if (former.status !== undefined) {
    throw new HaError('ALREADY_EXISTS', `the voter ${former.voter.name} at ${former.voter.endpoint} is alive`, {
      hint: `To make ${name} at ${addresses.join(', ')} a new one, take the old one out first: scadmin voters remove ${former.voter.name}`,
    })
  }
  await remove(parts, seen, former)
}

async function remove(parts: VotersParts, seen: readonly Seen[], target: Seen): Promise<void> {
  const { calls } = parts
  const { name } = target.voter
  const problem = removalProblem(
    seen.map(({ voter }) => voter),
    name,
  )
  if (problem !== '') {
    throw new HaError('VOTERS_UNSAFE', `the voter ${name} is not taken out: ${problem}`, {
      hint: 'Bring the others back first, or add a voter that takes its place.',
    })
  }
  const rest = seen.filter((one) => one !== target)
  const heir = rest.find(({ voter }) => voter.isHealthy && voter.role === 'follower')
  // Losing its leader costs etcd an election; handing the lead over costs nothing.
  if (target.voter.role === 'leader' && heir !== undefined) {
    await calls.transferLead(target.voter.endpoint, heir.member.id)
  }
  const changed = await untilAgreed(parts, () => calls.removeMember(someEndpoint(rest), target.member.id))
  if (changed.kind === 'refused' && changed.why === 'not-found') return // Somebody else was faster.
  refuse(changed, `the voter ${name} cannot be taken out`)
}

async function measure(
  { calls, effects }: VotersParts,
  seen: readonly Seen[],
  names: readonly string[],
): Promise<ReadonlyMap<string, VoterSpeed>> {
  const one = async ({ voter: { name, endpoint } }: Seen): Promise<readonly [string, VoterSpeed]> => {
    const roundTrip = async (): Promise<number> => {
      const fromMs = effects.nowMonotonicMs()
      await calls.status(endpoint)
      return effects.nowMonotonicMs() - fromMs
    }
    const syncs = await calls.syncs(endpoint)
    return [name, { roundTripMs: Math.min(await roundTrip(), await roundTrip()), syncs }]
  }
  const asked = seen.filter(({ voter, status }) => status !== undefined && names.includes(voter.name))
  const answers = await Promise.allSettled(asked.map(one))
  return new Map(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])))
}

async function lead({ calls }: VotersParts, seen: readonly Seen[], name: string): Promise<void> {
  const heir = seen.find(({ voter }) => voter.name === name && voter.role === 'follower')
  const leader = seen.find(({ voter }) => voter.role === 'leader')
  if (heir === undefined || leader === undefined) {
    throw new HaError(
      'NOT_FOUND',
      `there is no ${heir === undefined ? `follower ${name}` : 'leader'} among the voters`,
      {
        hint: 'See: scadmin voters',
      },
    )
  }
  refuse(await calls.transferLead(leader.voter.endpoint, heir.member.id), `the lead cannot go to ${name}`)
}

function refuseMore(seen: readonly Seen[]): void {
  const learner = seen.find(({ member }) => member.isLearner)
  if (learner !== undefined) {
    const { name } = learner.voter
    throw new HaError('VOTERS_UNSAFE', `the voter ${name} is being added, and has not caught up yet`, {
      hint: `Try again in a moment. If ${name} will never start: scadmin voters remove ${name}`,
    })
  }
  if (seen.length < VOTERS_MAX) return
  throw new HaError('LIMIT_REACHED', `there are ${seen.length} voters, and ${VOTERS_MAX} at most`, {
    hint: 'This host needs no voter of its own: let it join without.',
  })
}

/** Whom to ask for a change: the leader, so that nothing is forwarded, else anyone who is well. */
function someEndpoint(seen: readonly Seen[]): string {
  const well = seen.filter(({ voter }) => voter.isHealthy && voter.role !== 'learner')
  const chosen = well.find(({ voter }) => voter.role === 'leader') ?? well[0]
  if (chosen !== undefined) return chosen.voter.endpoint
  throw new HaError('DATABASE_UNAVAILABLE', 'no voter of the cluster database is well', {
    hint: 'See: scadmin voters',
    details: seen.map(({ voter }) => `${voter.name}: ${voter.complaint}`),
  })
}

async function untilAgreed({ effects }: VotersParts, change: () => Promise<Changed>): Promise<Changed> {
  const untilMs = effects.nowMonotonicMs() + AGREED_WITHIN_MS
  for (;;) {
    const changed = await change()
    const mayBeLater = changed.kind === 'refused' && changed.why === 'unavailable'
    if (!mayBeLater || effects.nowMonotonicMs() > untilMs) return changed
    await effects.sleep(TRY_EVERY_MS)
  }
}

function refuse(changed: Changed, what: string): void {
  if (changed.kind === 'done') return
  if (changed.why === 'unavailable') throw new HaError('DATABASE_UNAVAILABLE', `${what}: ${changed.message}`)
  throw new HaError('VOTERS_UNSAFE', `${what}: ${changed.message}`, {
    hint: 'etcd refuses what would put its majority at risk. See: scadmin voters',
  })
}
