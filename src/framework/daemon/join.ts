import { assertNever } from '../errors/assert-never.ts'
import { HaError, isHaError } from '../errors/ha-error.ts'
import { PROFILES } from '../membership/check-timings.ts'
import { rejoinVerdict } from '../membership/rejoins.ts'
import type { ClusterConfig } from '../model/cluster-config.ts'
import { LATER_DEFAULTS } from '../model/later-defaults.ts'
import type { PhysicalHostName } from '../model/names.ts'
import { newPhysicalHost } from '../model/new-physical-host.ts'
import type { Cause } from '../model/reconfiguration.ts'
import { type Draft, draftsOfConfiguration, putRejoins, toWrite } from '../records/encode.ts'
import { CLUSTER_KEY, JOURNAL_KEY, keyOf } from '../records/keys.ts'
import type { Host } from './host.ts'
import { type SignsOfLife, watchSignsOfLife } from './signs-of-life.ts'
import type { Stamper } from './stamper.ts'
import type { StartMode, StartWish } from './start-mode.ts'

export type { StartMode, StartWish } from './start-mode.ts'

/**
 * Makes this host a member, or carries on the life of a clustd that was killed a moment ago. Resolves once its first stamp is committed and its guard armed.
 * Throws `CLUSTER_ALIVE` (found), `CLUSTER_NOT_STARTED` (join), `GUARD_LOST`, `LOGICAL_HOST_STUCK` (remains of a former life would not go), `DATABASE_*`.
 */
export async function becomeMember(host: Host, stamper: Stamper, wish: StartWish): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryToBecomeMember(host, stamper, wish)
    } catch (error) {
      // Hosts that come back at the same moment all mean to start the cluster. One does; for the others there is one to be joined then.
      if (wish !== 'auto' || tries >= AUTO_TRIES_MAX || !isHaError(error, 'CLUSTER_ALIVE')) throw error
    }
  }
}

/** Each time another host was faster, and is a member then. */
const AUTO_TRIES_MAX = 3

async function tryToBecomeMember(host: Host, stamper: Stamper, wish: StartWish): Promise<void> {
  await host.parts.endStrays()
  if (await carryOn(host, stamper)) return
  await cleanUpFormerLife(host)
  await configureIfNew(host, wish)
  const signs = await watchSignsOfLife(host, wish)
  if (host.life.signal.aborted) throw new HaError('ABORTED', `${host.parts.host} was told to end while it started`)
  const mode: StartMode = wish !== 'auto' ? wish : signs.alive.length > 0 ? 'join' : 'found'
  if (mode === 'found') await refuseAlive(host, signs)
  else await refuseNotStarted(host, signs)
  const rejoin = judgeRejoin(host, wish, mode)
  const lost = lostBefore(host, signs, mode)
  if (lost.length > 0) await giveUpLost(host, lost, signs)
  const name = host.parts.host
  const isFirst = host.state().members.size === 0
  const cause: Cause = { kind: isFirst ? 'cluster-started' : 'host-joined', host: name }
  await join(host, stamper, cause, rejoin)
}

/**
 * Judges whether this host may join although nobody said so, and drafts what is remembered of it. Only who joins a cluster that went on without it is judged:
 * a cluster that is started anew has lost all its hosts, and they come back by themselves. Throws `REJOIN_REFUSED`.
 */
function judgeRejoin(host: Host, wish: StartWish, mode: StartMode): readonly Draft[] {
  const { parts, view } = host
  const before = view.fencing.rejoins().get(parts.host)
  const { members, cluster } = host.state()
  const isLost = mode === 'join' && (members.has(parts.host) || (before?.lostIncarnation ?? null) !== null)
  const nowWallMs = parts.effects.nowWallMs()
  const verdict = wish === 'auto' ? rejoinVerdict({ isLost, before }, nowWallMs, cluster.rejoins) : undefined
  if (verdict?.kind === 'refused') throw rejoinRefused(host, verdict.used)
  if (before === undefined && verdict?.kind !== 'counted') return []
  const kept = verdict?.kind === 'counted' ? verdict.byItselfWallMs : (before?.byItselfWallMs ?? [])
  // Whoever starts a host by hand has looked at it.
  const byItselfWallMs = verdict === undefined ? [] : kept
  return [putRejoins({ host: parts.host, lostIncarnation: null, atWallMs: nowWallMs, byItselfWallMs })]
}

function rejoinRefused({ parts, view }: Host, used: number): HaError {
  const fence = view.fencing.fences().get(parts.host)
  const lost = view.fencing.rejoins().get(parts.host)?.lostIncarnation
  const how =
    fence !== undefined && fence.incarnation === lost
      ? `was fenced by ${fence.by} (${fence.why})`
      : 'was lost or aborted'
  const limits =
    used === 0 ? 'hosts are started by hand then' : `it did so ${used} times lately, which is as often as it may`
  return new HaError('REJOIN_REFUSED', `${parts.host} ${how} and does not join by itself: ${limits}`, {
    hint: 'Find out why. Then start it by hand with scadmin startnode, or allow more with: scconf CLUSTER --rejoins-max NUMBER',
  })
}

/** Carries on the life of a clustd that was killed: the guard still watches, the others have not given it up. Services ran on all the while. */
async function carryOn(host: Host, stamper: Stamper): Promise<boolean> {
  const { parts, view } = host
  const former = await parts.guard.formerLife()
  if (former.kind !== 'watching' || !view.isConfigured) return false
  host.incarnation = former.incarnation
  if (host.ownMember() === undefined) {
    host.incarnation = 0
    return false
  }
  const sequence = view.stamps().get(parts.host)?.stamp.sequence ?? 0
  if (!(await stamper.carryOn(sequence, former.deadlineMs))) {
    host.incarnation = 0
    return false
  }
  host.joinedAtMs = parts.effects.nowMonotonicMs()
  parts.log.write({ level: 'info', message: 'carries on as a member: the services ran on' })
  return true
}

async function cleanUpFormerLife({ parts }: Host): Promise<void> {
  const leftovers = await parts.guard.abortRemains()
  if (leftovers.length === 0) return
  throw new HaError('LOGICAL_HOST_STUCK', `what ${parts.host} held in its former life could not be stopped`, {
    hint: 'Clear what is listed, then start this host again.',
    details: leftovers.map(({ what, remedy }) => `${what}: ${remedy}`),
  })
}

/** Whoever was taken out for good comes back with a token, not by being started again. */
function refuseEvicted({ parts, view }: Host): void {
  const evicted = view.admissions.byName().get(parts.host)?.evicted
  if (evicted == null) return
  throw new HaError('CERTIFICATE_REFUSED', `${parts.host} was taken out of the cluster for good by ${evicted.by}`, {
    hint: 'Let it join anew: scadmin token on a member, then scadmin join here.',
  })
}

/** The first start of a cluster configures it; every host that is set up for it adds itself. */
async function configureIfNew(host: Host, wish: StartWish): Promise<void> {
  const { parts, view } = host
  refuseEvicted(host)
  if (!view.isConfigured && wish !== 'found') {
    throw new HaError('CLUSTER_NOT_STARTED', `the cluster ${parts.cluster} was never started`, {
      hint: `Start it with: scadmin startcluster ${parts.host} ${parts.cluster}`,
    })
  }
  const drafts: Draft[] = []
  if (!view.isConfigured) {
    const cluster: ClusterConfig = { ...NEW_CLUSTER, name: parts.cluster }
    drafts.push(...draftsOfConfiguration({ kind: 'cluster', cluster }))
  } else if (host.state().cluster.name !== parts.cluster) {
    const { name } = host.state().cluster
    throw new HaError(
      'CONFIG_INVALID',
      `the cluster database is that of the cluster ${name}, not of ${parts.cluster}`,
      {
        hint: 'Give this host the right database with scadmin setup.',
      },
    )
  }
  if (!view.isConfigured || !host.state().physicalHosts.has(parts.host)) {
    const physicalHost = newPhysicalHost(parts.host)
    drafts.push(...draftsOfConfiguration({ kind: 'put-physical-host', physicalHost }))
  }
  if (drafts.length === 0) return
  const guards = [CLUSTER_KEY, keyOf.physicalHost(parts.host), JOURNAL_KEY].map((key) => view.guardOf(key))
  await parts.database.commit(guards, drafts.map(toWrite), { durability: 'durable' })
  // Whether this host or another one was faster: what is configured now is what counts.
  await host.readAgain()
}

/** What a cluster is until somebody says otherwise; `scconf` changes every figure of it. */
export const NEW_CLUSTER: Omit<ClusterConfig, 'name'> = {
  ...LATER_DEFAULTS,
  timings: PROFILES.default,
  budgets: {
    takeoversMax: 3,
    takeoverWindowMs: 300_000,
    evictionsMax: 8,
    evictionWindowMs: 60_000,
    parallelMovesMax: 32,
  },
  logicalHostTimeoutS: 180,
  stepTimeoutS: 720,
  syslogFacility: 'daemon',
}

async function refuseAlive({ parts }: Host, { alive }: SignsOfLife): Promise<void> {
  if (alive.length === 0) return
  throw new HaError(
    'CLUSTER_ALIVE',
    `the cluster ${parts.cluster} is running: ${alive.join(', ')} gives signs of life`,
    {
      hint: `Join it with: scadmin startnode ${parts.cluster}`,
    },
  )
}

async function refuseNotStarted({ parts }: Host, { alive }: SignsOfLife): Promise<void> {
  if (alive.length > 0) return
  throw new HaError('CLUSTER_NOT_STARTED', `no member of the cluster ${parts.cluster} gives a sign of life`, {
    hint: `Start the cluster with: scadmin startcluster ${parts.host} ${parts.cluster}`,
  })
}

type Lost = Extract<Cause, { kind: 'hosts-lost' }>['hosts']

/** Whoever founds gives up all that are silent; whoever joins only its own former life, which has just been cleaned up after. */
function lostBefore(host: Host, { alive }: SignsOfLife, mode: StartMode): Lost {
  const me = host.parts.host
  const members = [...host.state().members.keys()]
  const own: Lost = members.includes(me) ? [{ host: me, evidence: 'restarted' }] : []
  const silent = members.filter((name) => name !== me && !alive.includes(name))
  switch (mode) {
    case 'found':
      return [...own, ...silent.map((name) => ({ host: name, evidence: 'expired', ...seenBy(host, name) }) as const)]
    case 'join':
      return own
    default:
      return assertNever(mode)
  }
}

function seenBy({ view }: Host, name: PhysicalHostName): { readonly seenRevision?: number } {
  const seenRevision = view.stamps().get(name)?.stamp.seenRevision
  return seenRevision === undefined ? {} : { seenRevision }
}

/** Gives up those of the lost that are still members; another host may be giving them up at the same moment. */
async function giveUpLost(host: Host, lost: Lost, signs: SignsOfLife): Promise<void> {
  const { parts, view } = host
  const isMember = (name: PhysicalHostName): boolean => host.state().members.has(name)
  const isSilent = (name: PhysicalHostName): boolean =>
    view.stamps().get(name)?.revision === signs.stampRevisions.get(name)
  for (;;) {
    const present = lost.filter((one) => isMember(one.host))
    if (present.length === 0) return
    const expired = present.filter(({ evidence }) => evidence === 'expired').map((one) => one.host)
    const made = await host.submit({
      cause: { kind: 'hosts-lost', hosts: present },
      unchangedStamps: new Map(expired.map((name) => [name, signs.stampRevisions.get(name)])),
      isWanted: () => present.every((one) => isMember(one.host)) && expired.every(isSilent),
    })
    if (made !== null) {
      const names = present.map((one) => one.host).join(', ')
      parts.log.write({ level: 'info', message: `gave up the former lives of ${names}` })
      return
    }
    await refuseAlive(host, { ...signs, alive: expired.filter((name) => isMember(name) && !isSilent(name)) })
  }
}

/** The record that makes this host a member and its first stamp are one commit; the deadline counts from before it. */
async function join(host: Host, stamper: Stamper, cause: Cause, rejoin: readonly Draft[]): Promise<void> {
  const { effects, guard, log } = host.parts
  // It takes a while, which the first stamp would be too old after.
  await guard.prepare()
  let sentMs = effects.nowMonotonicMs()
  const made = await host.submit({
    cause,
    isWanted: () => cause.kind !== 'cluster-started' || host.state().members.size === 0,
    accept: () => {
      sentMs = effects.nowMonotonicMs()
    },
    also: (plan) => [stamper.draft(plan.number), ...rejoin],
  })
  if (made === null) {
    const [other = 'another host'] = host.state().members.keys()
    throw new HaError('CLUSTER_ALIVE', `${other} started the cluster ${host.parts.cluster} at the same moment`, {
      hint: `Join it with: scadmin startnode ${host.parts.cluster}`,
    })
  }
  host.incarnation = made.plan.number
  host.joinedAtMs = effects.nowMonotonicMs()
  try {
    await stamper.begin(sentMs)
  } catch (error) {
    // Nothing was begun yet, so this life ends as it would after a restart, and the others need not wait for its stamp to expire.
    await host.submit({ cause: { kind: 'hosts-lost', hosts: [{ host: host.parts.host, evidence: 'restarted' }] } })
    await guard.disarm()
    throw error
  }
  log.write({ level: 'info', reconfiguration: made.plan.number, message: `${host.parts.host} is a member` })
}
