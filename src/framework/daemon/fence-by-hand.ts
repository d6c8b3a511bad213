import { HaError } from '../errors/ha-error.ts'
import type { Fence } from '../model/fencing.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { Guard } from '../ports/cluster-database.ts'
import { putFence } from '../records/encode.ts'
import { keyOf } from '../records/keys.ts'
import { commitDrafts, lossOf, refuseWithoutDevice } from './fence-orders.ts'
import type { FenceWatch } from './fence-watch.ts'
import type { Fenced, Fencer } from './fencer.ts'
import type { Host } from './host.ts'

/** What an operator asks for. */
export interface HandOrder {
  readonly host: PhysicalHostName
  /** User name. */
  readonly operator: string
  readonly reason: string
}

/** A commit that lost a race is made again so often. */
const TRIES_MAX = 5
/** A stamp that is so many intervals old was not renewed. */
const STAMPS_MAX = 2

/**
 * Fences a host because an operator asks for it. The share of hosts does not count, the database's majority does. Throws `FENCE_FAILED` (no device, or none
 * confirmed), `HOST_ALIVE` (it is this host or gives signs of life, and `evenIfAlive` is not said), `NOT_FOUND`, `LOST_RACE`, `DATABASE_*`.
 */
export async function fenceByHand(
  { host, watch, fencer }: { readonly host: Host; readonly watch: FenceWatch; readonly fencer: Fencer | undefined },
  order: HandOrder & { readonly evenIfAlive: boolean },
): Promise<Fenced> {
  refuseUnknown(host, order.host)
  if (fencer === undefined) throw new HaError('FENCE_FAILED', `${host.parts.host} can ask no fence devices`)
  refuseWithoutDevice(host.state(), order.host)
  if (!order.evenIfAlive) {
    const hint = `To let it leave in an orderly way, on ${order.host}: scadmin stopnode. To switch it off as it is: scadmin fence ${order.host} --even-if-alive`
    refuseAlive({ host, watch }, order.host, `${order.host} is not fenced`, hint)
  }
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const fence: Fence = { ...handFence(host, order), outcome: { kind: 'asked' } }
    const guards = [guardOf(host, 'member', order.host), guardOf(host, 'fence', order.host)]
    if (await commitDrafts(host, guards, [putFence(fence)], 'durable')) {
      return fencer.carryOut(fence, watch.silentMs(order.host))
    }
  }
  throw lostRace(order.host)
}

/**
 * Takes an operator's word that a host is off. Resolves with the reconfiguration that gave it up; null = it was no member. Throws `HOST_ALIVE` (there is no
 * way round that: what gives signs of life is not off), `NOT_FOUND`, `LOST_RACE`, `DATABASE_*`.
 */
export async function confirmDown(
  { host, watch }: { readonly host: Host; readonly watch: FenceWatch },
  order: HandOrder,
): Promise<number | null> {
  refuseUnknown(host, order.host)
  const refuse = (): void => {
    const hint = 'A host that is off gives none. Switch it off, look at it, and say so again.'
    refuseAlive({ host, watch }, order.host, `${order.host} cannot be confirmed down`, hint)
  }
  refuse()
  const fence: Fence = { ...handFence(host, order), outcome: { kind: 'confirmed-by-operator' } }
  const { incarnation } = fence
  const revision = host.view.stamps().get(order.host)?.revision
  if (incarnation > 0) {
    const lost = {
      host: order.host,
      evidence: 'confirmed',
      provedBy: order.operator,
      operator: order.operator,
    } as const
    const made = await host.submit({
      cause: { kind: 'hosts-lost', hosts: [lost] },
      // It must not have stamped between the look at it and the commit.
      unchangedStamps: new Map([[order.host, revision]]),
      isWanted: () => {
        refuse()
        return (
          host.state().members.get(order.host)?.incarnation === incarnation &&
          host.view.stamps().get(order.host)?.revision === revision
        )
      },
      alsoGuards: [keyOf.fence(order.host)],
      also: () => [putFence({ ...fence, ...handFence(host, order) }), lossOf(host, order.host, incarnation)],
    })
    if (made !== null) return made.plan.number
    refuse()
  }
  return confirmGone(host, order, fence)
}

/** The same of a host that is no member any more: what it may still have held is free for everybody then. */
async function confirmGone(host: Host, order: HandOrder, fence: Fence): Promise<number | null> {
  const lost = { host: order.host, evidence: 'confirmed', provedBy: order.operator, operator: order.operator } as const
  const made = await host.submit({
    cause: { kind: 'hosts-lost', hosts: [lost] },
    isWanted: () => !host.state().members.has(order.host),
    alsoGuards: [keyOf.fence(order.host), keyOf.member(order.host)],
    also: () => [putFence(fence)],
  })
  if (made !== null) return made.plan.number
  const guards = [guardOf(host, 'member', order.host), guardOf(host, 'fence', order.host)]
  if (await commitDrafts(host, guards, [putFence(fence)], 'durable')) return null
  throw lostRace(order.host)
}

function handFence(host: Host, { host: name, operator, reason }: HandOrder): Omit<Fence, 'outcome'> {
  return {
    host: name,
    incarnation: host.state().members.get(name)?.incarnation ?? 0,
    by: host.parts.host,
    operator,
    why: reason,
    atWallMs: host.parts.effects.nowWallMs(),
    byItselfWallMs: host.view.fencing.fences().get(name)?.byItselfWallMs ?? null,
  }
}

function guardOf({ view }: Host, kind: 'member' | 'fence', host: PhysicalHostName): Guard {
  return view.guardOf(keyOf[kind](host))
}

function refuseUnknown(host: Host, name: PhysicalHostName): void {
  const { physicalHosts } = host.state()
  if (host.ownMember() === undefined) throw new HaError('NOT_A_MEMBER', `${host.parts.host} is not a member (yet)`)
  if (physicalHosts.has(name)) return
  throw new HaError('NOT_FOUND', `there is no physical host ${name}`, {
    hint: `Configured are: ${[...physicalHosts.keys()].toSorted().join(', ')}.`,
  })
}

function refuseAlive(
  { host, watch }: { readonly host: Host; readonly watch: FenceWatch },
  name: PhysicalHostName,
  what: string,
  hint: string,
): void {
  if (name === host.parts.host) throw new HaError('HOST_ALIVE', `${what}: it is this host`, { hint })
  const { heartbeats, timings } = host.state().cluster
  const silentMs = watch.silentMs(name)
  if (silentMs === undefined || silentMs > Math.max(heartbeats.suspectMs, timings.stampMs * STAMPS_MAX)) return
  throw new HaError('HOST_ALIVE', `${what}: it gave a sign of life ${Math.round(silentMs)} ms ago`, { hint })
}

function lostRace(host: PhysicalHostName): HaError {
  return new HaError('LOST_RACE', `what is known of ${host} changed ${TRIES_MAX} times while it was being fenced`, {
    hint: 'Look at it with hastat, and try again.',
  })
}
