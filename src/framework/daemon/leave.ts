import type { StillTakenOn } from '../api/services.ts'
import { describeError, HaError, isHaError } from '../errors/ha-error.ts'
import { actorOf, isInMotion } from '../model/mastery.ts'
import type { LogicalHostName } from '../model/names.ts'
import type { Host } from './host.ts'

/** After a step timeout's worth of trying the leave counts as impossible; the daemon that was told to end then ends the hard way. */
const LOOK_AGAIN_MS = 1_000
/** What was given up is mostly taken on within this; longer nobody who leaves has to wait for others. */
const HEIRS_MS = 5_000

/**
 * Gives everything up and leaves. Resolves when this host is no member any more and its guard stands down, with what others still take on of
 * what it gave up: whoever asked (`by` is not empty) is let wait for them a few seconds, so that this is mostly nothing. Rejects with why it
 * cannot: `LOGICAL_HOST_STUCK` (the host stays a member that is leaving), `WAIT_TIMED_OUT`, `NOT_A_MEMBER`, `DATABASE_*`.
 */
export async function leaveCluster(host: Host, by: string): Promise<readonly StillTakenOn[]> {
  const { parts, life } = host
  const name = parts.host
  const untilMs = parts.effects.nowMonotonicMs() + host.state().cluster.stepTimeoutS * 1000
  // Asked again after a leave that got stuck, it is leaving already.
  const isJoined = (): boolean => host.ownMember()?.state !== 'leaving'
  const given = heldBy(host)
  let rest: readonly StillTakenOn[] = []
  await host.submit({ cause: { kind: 'host-leaving', host: name, by }, isWanted: isJoined })
  for (;;) {
    await releaseAll(host, untilMs)
    // Nobody reads the answer to a signal, and a host that lost its guard has no time for this.
    if (by !== '') await awaitHeirs(host, given)
    rest = stillTakenOn(host, given)
    life.isDeparting = true
    try {
      await host.submit({ cause: { kind: 'host-left', host: name } })
      break
    } catch (error) {
      life.isDeparting = false
      // Something was taken on just now, by a plan that did not know yet.
      if (!isHaError(error, 'IN_USE')) throw error
    }
  }
  await parts.guard.disarm()
  await endMonitors(host)
  life.end({ kind: 'left' })
  return rest
}

function heldBy(host: Host): readonly LogicalHostName[] {
  const states = [...host.state().states.values()]
  return states.filter(({ mastery }) => actorOf(mastery) === host.parts.host).map(({ name }) => name)
}

/** Waits, bounded, until what this host gave up has come to rest elsewhere: then whoever hears that it left can rely on its clients being served. */
async function awaitHeirs(host: Host, given: readonly LogicalHostName[]): Promise<void> {
  const { parts, knowledge, life } = host
  const untilMs = parts.effects.nowMonotonicMs() + HEIRS_MS
  while (stillTakenOn(host, given).length > 0) {
    const leftMs = untilMs - parts.effects.nowMonotonicMs()
    if (leftMs <= 0 || life.signal.aborted) return
    await knowledge.newsAfter(knowledge.news, Math.min(leftMs, LOOK_AGAIN_MS), life.signal)
  }
}

function stillTakenOn(host: Host, given: readonly LogicalHostName[]): readonly StillTakenOn[] {
  return given.flatMap((name) => {
    const at = host.state().states.get(name)
    const by = at === undefined || !isInMotion(at.mastery) ? undefined : actorOf(at.mastery)
    return at === undefined || by === undefined ? [] : [{ logicalHost: name, by, reconfiguration: at.reconfiguration }]
  })
}

/** Waits until nothing names this host as its actor. */
async function releaseAll(host: Host, untilMs: number): Promise<void> {
  const { parts, knowledge, life } = host
  for (;;) {
    const names = heldBy(host)
    if (names.length === 0) return
    const { states } = host.state()
    if (names.every((held) => states.get(held)?.mastery.kind === 'stuck')) throw stuck(parts.host, names)
    const leftMs = untilMs - parts.effects.nowMonotonicMs()
    if (leftMs <= 0) throw timedOut(parts.host, names)
    if (life.signal.aborted) throw new HaError('ABORTED', String(life.signal.reason))
    await knowledge.newsAfter(knowledge.news, Math.min(leftMs, LOOK_AGAIN_MS), life.signal)
  }
}

function stuck(host: string, names: readonly LogicalHostName[]): HaError {
  return new HaError('LOGICAL_HOST_STUCK', `${host} cannot leave: ${names.join(', ')} could not be released provably`, {
    hint: `See what is left with: scadmin explain ${names[0]}; then: scadmin clear ${names[0]}`,
  })
}

function timedOut(host: string, names: readonly LogicalHostName[]): HaError {
  return new HaError('WAIT_TIMED_OUT', `${host} did not give up ${names.join(', ')} in time`, {
    hint: 'See what it does with: scadmin timeline',
  })
}

/** Fault monitors of logical hosts that other hosts master run here too; they end with this host's membership. */
async function endMonitors(host: Host): Promise<void> {
  const { parts } = host
  const state = host.state()
  const others = [...state.logicalHosts.values()].filter(({ physicalHosts }) => physicalHosts.includes(parts.host))
  const ends = others.map(async ({ name }) => {
    const ender = new AbortController()
    const call = { logicalHost: name, reconfiguration: 0, generation: 0, timeoutMs: END_MONITORS_MS }
    const by = { incarnation: host.incarnation, physicalHosts: [...state.physicalHosts.keys()] }
    const rest = { ...by, lists: ['', ''] as const, diskGroup: () => undefined, signal: ender.signal }
    try {
      await parts.hands['end-processes']({ kind: 'end-processes', service: 'all' }, { ...call, ...rest })
    } catch (error) {
      const message = `a fault monitor of ${name} may still run: ${describeError(error)}`
      parts.log.write({ level: 'warn', logicalHost: name, message })
    }
  })
  await Promise.all(ends)
}

const END_MONITORS_MS = 2_000
