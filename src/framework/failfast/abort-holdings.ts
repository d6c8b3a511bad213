import { describeError } from '../errors/ha-error.ts'
import type { DiskGroup, LogicalAddress } from '../model/cluster-config.ts'
import type { GuardReport } from '../model/guard-report.ts'
import type { LogicalHostName } from '../model/names.ts'
import type { Leftover } from '../model/step.ts'
import type { AddressDriver } from '../ports/address-driver.ts'
import type { DiskGroupDriver } from '../ports/disk-group-driver.ts'
import type { Effects } from '../ports/effects.ts'
import type { Holding } from '../ports/guard.ts'
import type { MethodRunner } from '../ports/method-runner.ts'
import { AbortMethods } from './abort-methods.ts'
import { within } from './within.ts'

/** What the world is reached with; one driver for each kind. */
export interface AbortHands {
  readonly diskGroups: Readonly<Record<DiskGroup['kind'], DiskGroupDriver>>
  readonly addresses: Readonly<Record<LogicalAddress['kind'], AddressDriver>>
  readonly methods: MethodRunner
  readonly effects: Effects
}

/** How long it may take. */
export interface AbortLimits {
  /** One sentence for the report. */
  readonly why: string
  /** All methods together end at this moment of the monotonic clock; then they are killed. It may lie in the past: then none is called. */
  readonly methodsEndMs: number
  /** Ending by force, exports and the proof may take this long after that; what is not gone by then is a leftover. */
  readonly forceMs: number
  /** Whether another host may have the disks by now. Absent: when the time of the methods is over. */
  readonly isLate?: boolean
}

/** What came of it. */
export interface Aborted {
  readonly report: GuardReport
  readonly leftovers: readonly Leftover[]
  /** Logical hosts of which nothing is left, provably. */
  readonly released: readonly LogicalHostName[]
}

/** The proof looks at the system for no longer than this on top, so that it also says something when the time is over. */
const PROOF_MS = 500

/**
 * Stops everything of some logical hosts, each on its own: what is late is cut off from its disks first; ABORT_NET, addresses down, ABORT, KILL, disk
 * groups out, proof. Used by the guard when it fires, by clustd for the remains of a former life, and by the simulation. Never throws, and nothing that hangs
 * delays the addresses, the end by force, or another logical host. Everything is idempotent.
 */
export async function abortHoldings(
  holdings: readonly Holding[],
  limits: AbortLimits,
  hands: AbortHands,
): Promise<Aborted> {
  const startedMs = hands.effects.nowMonotonicMs()
  const firedWallMs = hands.effects.nowWallMs()
  const stopped: string[] = []
  const tell = (line: string): void => {
    stopped.push(`+${Math.round(hands.effects.nowMonotonicMs() - startedMs)} ms ${line}`)
  }
  const methods = new AbortMethods(holdings, limits.methodsEndMs, hands, tell)
  const endMs = Math.max(startedMs, limits.methodsEndMs) + limits.forceMs
  const { methodsEndMs, isLate = startedMs > methodsEndMs } = limits
  const proofs = await Promise.all(
    holdings.map((holding) => abortOne(holding, { hands, methods, methodsEndMs, isLate, endMs, tell })),
  )
  const leftovers = proofs.flat()
  return {
    leftovers,
    released: holdings.filter((_, index) => proofs[index]?.length === 0).map(({ logicalHost }) => logicalHost),
    report: {
      firedWallMs,
      why: limits.why,
      tookMs: Math.round(hands.effects.nowMonotonicMs() - startedMs),
      stopped,
      leftovers: leftovers.map(({ what, remedy }) => `${what} (${remedy})`),
    },
  }
}

interface Work {
  readonly hands: AbortHands
  readonly methods: AbortMethods
  readonly methodsEndMs: number
  readonly isLate: boolean
  /** When force has had its time. */
  readonly endMs: number
  tell(line: string): void
}

async function abortOne(holding: Holding, work: Work): Promise<readonly Leftover[]> {
  // Late, as on a machine that stood still: another host may have the disks. What came to them now, be it by unmounting, could only damage what that has written.
  const cutOff = work.isLate ? cutOffDiskGroups(holding, work) : undefined
  await work.methods.callAll(holding, 'ABORT_NET')
  const addresses = takeAddressesDown(holding, work)
  // An address that will not go must not use up the time of the ABORT methods.
  await within(work.hands.effects, halfWayTo(work.methodsEndMs, work), () => addresses)
  await work.methods.callAll(holding, 'ABORT')
  await killProcesses(holding, work)
  await cutOff
  await exportDiskGroups(holding, work)
  await addresses
  return prove(holding, work)
}

async function cutOffDiskGroups({ logicalHost, diskGroups }: Holding, work: Work): Promise<void> {
  const { hands } = work
  const untilMs = halfWayTo(work.endMs, work)
  await Promise.all(
    diskGroups.map(async ({ diskGroup, mountPoint }) => {
      const driver = hands.diskGroups[diskGroup.kind]
      if (driver.cutOff === undefined) return
      await attempt(`${logicalHost}: disk group ${diskGroup.name} cut off`, untilMs, work, async (signal) =>
        driver.cutOff?.(diskGroup, { mountPoint, signal }),
      )
    }),
  )
}

function halfWayTo(endMs: number, { hands }: Work): number {
  const now = hands.effects.nowMonotonicMs()
  return now + Math.max(0, endMs - now) / 2
}

async function takeAddressesDown({ logicalHost, addresses }: Holding, work: Work): Promise<void> {
  await Promise.all(
    addresses.map(({ address, adapter }) =>
      attempt(`${logicalHost}: address ${address.address} down`, work.endMs, work, (signal) =>
        work.hands.addresses[address.kind].down({ address, adapter, signal }),
      ),
    ),
  )
}

async function killProcesses({ logicalHost }: Holding, work: Work): Promise<void> {
  await attempt(`${logicalHost}: processes killed`, work.endMs, work, async (signal) => {
    const left = await work.hands.methods.endProcesses({ logicalHost, service: 'all' }, { graceMs: 0, signal })
    if (left.length > 0) throw new Error(`still there: ${left.map(({ what }) => what).join(', ')}`)
  })
}

/** In reverse, since one may be mounted below another; each has its share of the time, so that one which hangs leaves some for the rest. */
async function exportDiskGroups({ logicalHost, diskGroups }: Holding, work: Work): Promise<void> {
  const inReverse = [...diskGroups].reverse()
  for (const [index, { diskGroup, mountPoint }] of inReverse.entries()) {
    const now = work.hands.effects.nowMonotonicMs()
    const untilMs = now + Math.max(0, work.endMs - now) / (inReverse.length - index)
    await attempt(`${logicalHost}: disk group ${diskGroup.name} exported`, untilMs, work, (signal) =>
      work.hands.diskGroups[diskGroup.kind].export(diskGroup, { mountPoint, signal }),
    )
  }
}

async function attempt(
  what: string,
  untilMs: number,
  work: Work,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = await within(work.hands.effects, untilMs, run)
  switch (ending.kind) {
    case 'done':
      work.tell(what)
      break
    case 'failed':
      work.tell(`${what}: FAILED: ${describeError(ending.error)}`)
      break
    case 'late':
      work.tell(`${what}: NOT DONE in time`)
  }
}

/** Looks at the system for all of the logical host. What cannot be looked at counts as being there. */
async function prove({ logicalHost, addresses, diskGroups }: Holding, work: Work): Promise<readonly Leftover[]> {
  const { hands } = work
  const untilMs = Math.max(work.endMs, hands.effects.nowMonotonicMs()) + PROOF_MS
  const look = async (
    kind: Leftover['kind'],
    what: string,
    find: (signal: AbortSignal) => Promise<readonly Leftover[]>,
  ): Promise<readonly Leftover[]> => {
    const ending = await within(hands.effects, untilMs, find)
    if (ending.kind === 'done') return ending.value
    const why = ending.kind === 'failed' ? describeError(ending.error) : 'the look took too long'
    return [{ kind, what, remedy: `look for it by hand: ${why}` }]
  }
  const found = await Promise.all([
    look('process', `processes of ${logicalHost}`, () => hands.methods.processes({ logicalHost, service: 'all' })),
    ...addresses.map(({ address, adapter }) =>
      look('address', `${address.address} on ${adapter || 'lo'}`, (signal) =>
        hands.addresses[address.kind].leftovers({ address, adapter, signal }),
      ),
    ),
    ...diskGroups.map(({ diskGroup, mountPoint }) =>
      look('disk-group', `disk group ${diskGroup.name} at ${mountPoint}`, (signal) =>
        hands.diskGroups[diskGroup.kind].leftovers(diskGroup, { mountPoint, signal }),
      ),
    ),
  ])
  return found.flat()
}
