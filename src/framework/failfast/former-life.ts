import { signalProcess } from '../../methods/proc.ts'
import { HaError } from '../errors/ha-error.ts'
import { leftMs } from '../membership/deadline.ts'
import type { Clocks } from '../membership/own-health.ts'
import type { Timings } from '../model/cluster-config.ts'
import type { Leftover } from '../model/step.ts'
import type { FormerLife, Holding } from '../ports/guard.ts'
import type { Log } from '../ports/log.ts'
import { type AbortHands, abortHoldings } from './abort-holdings.ts'
import { type GuardPlaces, LineFile, readHoldings, removeHolding } from './guard-files.ts'
import type { FoundGuard } from './guard-line.ts'
import type { GuardOrders, ProcessIdentity } from './guard-orders.ts'
import { conditionOf, isSameProcess, pokeGuard } from './guard-process.ts'
import { writeGuardReport } from './guard-reports.ts'
import { endDaemon } from './kill-daemon.ts'
import { readClocks } from './read-clocks.ts'
import { within } from './within.ts'

/** What is needed to look at a former life and to end it. */
export interface FormerLifeParts {
  readonly root: string
  readonly places: GuardPlaces
  readonly hostKey: string
  readonly me: ProcessIdentity
  readonly hands: AbortHands
  readonly log: Log
  readonly timings: () => Timings
}

/** A guard at work has this long: its own limit for the end by force, and some. */
const GUARD_AT_WORK_MS_MAX = 15_000
const LOOK_EVERY_MS = 5
/** What will not go in this time is told as a leftover. */
const FORCE_MS = 10_000
/** Reading the mark of a disk group takes milliseconds. */
const LOOK_MS_MAX = 2_000

/** Tells what is left of the life before; changes nothing. */
export async function lookAtFormer(found: FoundGuard | undefined, parts: FormerLifeParts): Promise<FormerLife> {
  refuseLiving(found, parts.me)
  if (found?.orders.state !== 'armed') {
    const holdings = await readHoldings(parts.places)
    return { kind: holdings.length === 0 ? 'none' : 'ended' }
  }
  const { orders, ack } = found
  const deadline = { untilMs: orders.deadlineMs, aheadMs: orders.aheadMs }
  const isWatched =
    orders.guard !== null &&
    conditionOf(orders.guard) === 'running' &&
    ack?.state === 'watching' &&
    orders.fire === null
  if (!isWatched || leftMs(deadline, readClocks(parts.hands.effects)) <= 0) return { kind: 'ended' }
  return { kind: 'watching', incarnation: orders.incarnation, deadlineMs: orders.deadlineMs }
}

/** Throws `CLUSTD_RUNNING` when the clustd that the orders name is alive and not this one: one host has one. */
export function refuseLiving(found: FoundGuard | undefined, me: ProcessIdentity): void {
  if (found === undefined || found.orders.state === 'disarmed') return
  const { clustd } = found.orders
  if (isSameProcess(clustd, me) || conditionOf(clustd) === 'gone') return
  throw new HaError('CLUSTD_RUNNING', `clustd of this host is alive (process ${clustd.pid})`, {
    hint: 'Use that one, or end it first.',
  })
}

/** Ends the life before, whatever state it is in, and returns what would not go. */
export async function abortFormer(found: FoundGuard | undefined, parts: FormerLifeParts): Promise<readonly Leftover[]> {
  refuseLiving(found, parts.me)
  const isLate = mayBeTakenOver(found?.orders, readClocks(parts.hands.effects))
  if (found !== undefined) await endFormerProcesses(found, parts)
  const { hands, places, root } = parts
  const held = await readHoldings(places)
  if (held.length === 0) return []
  const holdings = await Promise.all(held.map((holding) => withoutMethodsIfAway(holding, parts)))
  const methodsEndMs = hands.effects.nowMonotonicMs() + parts.timings().abortMs
  const why = 'a new clustd found the remains of a former life'
  const limits = { why, methodsEndMs, forceMs: FORCE_MS, isLate }
  const { report, leftovers, released } = await abortHoldings(holdings, limits, hands)
  await Promise.all(released.map((logicalHost) => removeHolding(places, logicalHost)))
  await writeGuardReport(root, report)
  for (const line of report.stopped) parts.log.write({ level: 'info', message: `former life: ${line}` })
  return leftovers
}

/**
 * Tells whether the others may have gone on without the life of these orders: its deadline, and the time that its guard had to stop everything, are over.
 * Undefined: nobody can tell when it ended, so they may.
 */
export function mayBeTakenOver(orders: GuardOrders | undefined, now: Clocks): boolean {
  if (orders === undefined) return true
  return leftMs({ untilMs: orders.deadlineMs, aheadMs: orders.aheadMs }, now) + orders.abortMs < 0
}

/**
 * Takes the methods out of a holding whose disk group is not on this host any more: another host has taken it over, or given it up since. Nothing of the
 * service can be served from here then, but a link or a mount that outlived the power cut may still lead there, and what an ABORT method finds behind it,
 * pid files above all, is that host's. Processes of our own are ended all the same, by their tag.
 */
async function withoutMethodsIfAway(holding: Holding, { hands, log }: FormerLifeParts): Promise<Holding> {
  for (const { diskGroup, mountPoint } of holding.diskGroups) {
    const look = await within(hands.effects, hands.effects.nowMonotonicMs() + LOOK_MS_MAX, (signal) =>
      hands.diskGroups[diskGroup.kind].status(diskGroup, { mountPoint, signal }),
    )
    // A disk that does not answer says nothing: the methods are called, as the guard would.
    if (look.kind !== 'done' || look.value.kind !== 'absent') continue
    const whose = look.value.owner === undefined ? '' : `: it belongs to ${look.value.owner} now`
    const message = `former life: no ABORT methods for ${holding.logicalHost}, as disk group ${diskGroup.name} is not here${whose}`
    log.write({ level: 'info', message })
    return { ...holding, services: [] }
  }
  return holding
}

/**
 * The guard of the former life does the work if it can: were it stood down first, nothing would stop the services should this clustd
 * end now. One that is at work already is waited for, so that two do not export the same disk group at once.
 */
async function endFormerProcesses({ orders, ack }: FoundGuard, parts: FormerLifeParts): Promise<void> {
  const { effects } = parts.hands
  const { guard } = orders
  if (guard !== null && conditionOf(guard) === 'running' && orders.state === 'armed') {
    if (ack?.state === 'watching') await makeItFire(orders, guard, parts)
    const untilMs = effects.nowMonotonicMs() + GUARD_AT_WORK_MS_MAX
    while (conditionOf(guard) === 'running' && effects.nowMonotonicMs() < untilMs) await effects.sleep(LOOK_EVERY_MS)
  }
  if (guard !== null) signalProcess(guard, 'SIGKILL')
  if (!isSameProcess(orders.clustd, parts.me)) await endDaemon(orders.clustd, parts.hostKey, effects)
}

async function makeItFire(orders: GuardOrders, guard: ProcessIdentity, { places }: FormerLifeParts): Promise<void> {
  const file = new LineFile<GuardOrders>(places.orders)
  await file.write({ ...orders, write: orders.write + 1, fire: 'a new life of this host begins' })
  await file.close()
  pokeGuard(guard)
}
