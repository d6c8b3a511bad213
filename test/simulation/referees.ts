import type { LogicalHost } from '../../src/framework/model/cluster-config.ts'
import type { Member } from '../../src/framework/model/cluster-state.ts'
import type { LogicalHostState, Mastery } from '../../src/framework/model/mastery.ts'
import type { Reconfiguration } from '../../src/framework/model/reconfiguration.ts'
import type { Snapshot } from '../../src/framework/ports/cluster-database.ts'
import type { Machine } from './machine.ts'
import type { Deed, World } from './world.ts'

/** What the referees may look at: everything. */
export interface Field {
  readonly machines: ReadonlyMap<string, Machine>
  readonly world: World
  readonly logicalHosts: readonly LogicalHost[]
  /** How long the guard of a host may take to act after its machine woke. */
  readonly wakeGraceMs: (host: string) => number
  readonly nowMs: () => number
  /** The database as it is now. */
  readonly snapshot: () => Snapshot
  /** What the guard of a host counts by; undefined when the host has no life that is guarded. */
  readonly guarded: (host: string) => Guarded | undefined
  /** When the last stamp of the host was committed, true time; undefined = never. */
  readonly stampedAtMs: (host: string) => number | undefined
  readonly violation: (text: string) => void
}

/** The present life of a host as its guard sees it, on the host's own clock. */
export interface Guarded {
  /** Milliseconds until the deadline; negative once it has passed. */
  readonly leftMs: number
  readonly guardMs: number
  /** What the guard allows itself after the deadline. */
  readonly abortMs: number
  /** What it would stop: logical hosts that its host may hold. */
  readonly holds: readonly string[]
}

/** Judges one physical deed. Each rule is a claim of safety that the documentation makes. */
export function judgeDeed(field: Field, deed: Deed): void {
  switch (deed.kind) {
    case 'begun':
      judgeDeadline(field, deed)
      return
    case 'imported':
      judgeAlone(field, `disk group ${deed.diskGroup} imported`, deed.host, field.world.imports.get(deed.diskGroup))
      judgeForce(field, deed)
      return
    case 'address-up':
      judgeAlone(field, `address ${deed.address} up`, deed.host, field.world.addresses.get(deed.address))
      return
    case 'started':
      judgeAlone(
        field,
        `${deed.service} of ${deed.logicalHost} started`,
        deed.host,
        field.world.running.get(`${deed.logicalHost}/${deed.service}`),
      )
      judgeStorage(field, deed)
      return
    case 'exported':
      judgeStops(field, deed)
      return
    case 'method':
    case 'crashed':
      return
  }
}

/**
 * At most one host has it. A machine that stands still cannot write, and the first moments after it woke are the guard's: without a fence nobody can
 * stop it from having what it had. What it does anew then is judged like everything else.
 */
function judgeAlone(field: Field, what: string, host: string, holders: ReadonlySet<string> | undefined): void {
  // A method that was under way when its machine stood still goes on in the moment it wakes; that it began in time is judged elsewhere.
  if (isExcused(field, host)) return
  const others = [...(holders ?? [])].filter((other) => other !== host && !isExcused(field, other))
  if (others.length > 0) field.violation(`${what} on ${host} while it is on ${others.join(', ')}`)
}

function isExcused({ machines, wakeGraceMs, nowMs }: Field, host: string): boolean {
  const machine = machines.get(host)
  if (machine === undefined || !machine.isRunning) return true
  return nowMs() - machine.wokeAtMs < wakeGraceMs(host)
}

/** What clustd begins, it begins before its deadline. The guard has no deadline: it acts because that has passed. */
function judgeDeadline({ guarded, violation }: Field, { host, by }: Extract<Deed, { kind: 'begun' }>): void {
  const leftMs = guarded(host)?.leftMs ?? 0
  if (by === 'clustd' && leftMs < 0) violation(`${host} began a step ${Math.round(-leftMs)} ms after its deadline`)
}

/** Force only against hosts that were lost with it, and that can hold it no more by the clocks of their guards. */
function judgeForce(field: Field, deed: Extract<Deed, { kind: 'imported' }>): void {
  if (!deed.force) return
  const state = stateOf(field, deed.diskGroup)
  const unclean = state !== undefined && 'uncleanOn' in state.mastery ? state.mastery.uncleanOn : []
  const owner = deed.markBefore
  for (const lost of unclean) {
    // One that is a member again has cleaned up, and may have released it since: the barrier is judged when that is committed.
    const isBack = lost === deed.host || field.snapshot().records.has(`members/${lost}`)
    const holdsMs = isBack || state === undefined ? 0 : holdsForMs(field, lost, state.name)
    if (holdsMs > 0)
      field.violation(
        `${deed.diskGroup} imported by force on ${deed.host}, while ${lost} may hold it for another ${Math.round(holdsMs)} ms`,
      )
  }
  if (unclean.length === 0)
    field.violation(`${deed.diskGroup} imported by force on ${deed.host}, though nobody was lost with it`)
  else if (owner !== undefined && owner !== deed.host && !unclean.some((host) => host === owner))
    field.violation(`${deed.diskGroup} taken by force from ${owner}, which was not lost`)
}

/** How long a host may still hold a logical host, by its guard; 0 when it may not. */
function holdsForMs({ guarded }: Field, host: string, logicalHost: string): number {
  const life = guarded(host)
  return life?.holds.includes(logicalHost) === true ? Math.max(0, life.leftMs + life.abortMs) : 0
}

/** Judges a commit by which hosts cease to be members: one that is given up for its silence has stopped all it had, by the clock of its guard. */
export function judgeMembers(field: Field, before: Snapshot, after: Snapshot): void {
  const made = latestOf(after)
  if (made === undefined || made.cause.kind !== 'hosts-lost') return
  for (const { host, evidence } of made.cause.hosts) {
    const isGone = before.records.has(`members/${host}`) && !after.records.has(`members/${host}`)
    const guarded = field.guarded(host)
    const holdsMs = guarded === undefined ? 0 : guarded.leftMs + guarded.abortMs
    // Who acts by promises may do so after it was given up: whoever takes over from it is judged where it does (`judgeForce`).
    if (isGone && evidence === 'expired' && holdsMs > 0 && !actsByPromises(field, host, guarded))
      field.violation(`${host} was given up although it may hold what it had for another ${Math.round(holdsMs)} ms`)
  }
}

/** Clocks may be 1 % off. */
const DRIFT = 1.01

/** Whether the deadline of a host is one that no stamp of it explains. */
function actsByPromises(field: Field, host: string, life: Guarded | undefined): boolean {
  const stampedMs = field.stampedAtMs(host)
  if (life === undefined || stampedMs === undefined) return false
  return life.leftMs > stampedMs + life.guardMs * DRIFT - field.nowMs()
}

/** The last reconfiguration that was committed. */
export function latestOf({ records }: Snapshot): Reconfiguration | undefined {
  const journal = records.get('journal')?.value as unknown as { readonly last: number } | undefined
  return records.get(`reconfigurations/${journal?.last}`)?.value as unknown as Reconfiguration | undefined
}

/** A service never starts where its disk groups are not imported. */
function judgeStorage(field: Field, deed: Extract<Deed, { kind: 'started' }>): void {
  const logicalHost = field.logicalHosts.find(({ name }) => name === deed.logicalHost)
  const missing = (logicalHost?.diskGroups ?? []).filter(
    (name) => field.world.imports.get(name)?.has(deed.host) !== true,
  )
  if (missing.length > 0)
    field.violation(`${deed.service} of ${deed.logicalHost} started on ${deed.host} without ${missing.join(', ')}`)
}

/** A daemon never takes the storage from a service that nobody has told to stop. (What would not die shows in the proof.) */
function judgeStops({ world, logicalHosts, violation }: Field, deed: Extract<Deed, { kind: 'exported' }>): void {
  const logicalHost = logicalHosts.find(({ diskGroups }) => diskGroups.some((name) => name === deed.diskGroup))
  if (logicalHost === undefined || deed.by !== 'clustd') return
  const unstopped = unstoppedOf(world, `${deed.host}/${logicalHost.name}/`)
  if (unstopped.length > 0)
    violation(`${deed.diskGroup} exported on ${deed.host} although nobody stopped ${unstopped.join(', ')}`)
}

// Services that were started and not told to stop since: `host/logical host/service`.
const UNSTOPPED = new WeakMap<World, Set<string>>()

/** Notes what was started, and what was told to stop: to be called for every deed before it is judged. */
export function noteDeed({ world }: Field, deed: Deed): void {
  const unstopped = UNSTOPPED.get(world) ?? new Set()
  UNSTOPPED.set(world, unstopped)
  if (deed.kind === 'started') unstopped.add(`${deed.host}/${deed.logicalHost}/${deed.service}`)
  if (deed.kind === 'method' && /^(STOP|ABORT)/.test(deed.method))
    unstopped.delete(`${deed.host}/${deed.logicalHost}/${deed.service}`)
  // What ended with the power, or was ended by the guard, is judged by other rules.
  const isOver = deed.kind === 'crashed' || (deed.kind === 'exported' && deed.by === 'failfastd')
  for (const key of isOver ? unstoppedOf(world, `${deed.host}/`) : []) unstopped.delete(`${deed.host}/${key}`)
}

function unstoppedOf(world: World, prefix: string): readonly string[] {
  return [...(UNSTOPPED.get(world) ?? [])]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
}

/** What may follow a mastery as long as its actor is a member; a loss may end any of them. */
const MAY_FOLLOW: Readonly<Record<Mastery['kind'], readonly Mastery['kind'][]>> = {
  unmastered: ['unmastered', 'takingOn'],
  takingOn: ['takingOn', 'mastered', 'givingUp'],
  mastered: ['mastered', 'adjusting', 'givingUp'],
  adjusting: ['adjusting', 'mastered', 'givingUp'],
  givingUp: ['takingOn', 'unmastered', 'stuck'],
  stuck: ['givingUp'],
}

/** Judges the database after a commit: generations only grow, what follows is what may follow, and an actor is only replaced by itself or by its loss. */
export function judgeMastery(field: Field, before: Snapshot, after: Snapshot): void {
  for (const [key, record] of after.records) {
    if (!key.startsWith('mastery/')) continue
    const now = record.value as unknown as LogicalHostState
    const was = before.records.get(key)?.value as unknown as LogicalHostState | undefined
    if (was === undefined || was === now) continue
    judgeTransition(field, after, was, now)
    judgeActor(field, { before, after, was, now })
  }
}

function judgeTransition(field: Field, after: Snapshot, was: LogicalHostState, now: LogicalHostState): void {
  const isChanged = JSON.stringify(was.mastery) !== JSON.stringify(now.mastery)
  if (now.generation < was.generation || (isChanged && now.generation === was.generation))
    field.violation(`generation of ${now.name} went from ${was.generation} to ${now.generation}`)
  const actor = actorOf(was)
  const isLost = actor !== undefined && !after.records.has(`members/${actor}`)
  if (isChanged && !isLost && !MAY_FOLLOW[was.mastery.kind].includes(now.mastery.kind))
    field.violation(`${now.name} went from ${was.mastery.kind} to ${now.mastery.kind}`)
}

interface Step {
  readonly before: Snapshot
  readonly after: Snapshot
  readonly was: LogicalHostState
  readonly now: LogicalHostState
}

function judgeActor(field: Field, { after, was, now }: Step): void {
  const actor = actorOf(was)
  const next = actorOf(now)
  if (actor === undefined || next === undefined || actor === next) return
  const isBarrier = was.mastery.kind === 'givingUp' && now.mastery.kind === 'takingOn'
  if (!isBarrier && after.records.has(`members/${actor}`))
    field.violation(
      `${now.name} passed from ${actor}, a member, to ${next} without the barrier (${was.mastery.kind} -> ${now.mastery.kind})`,
    )
  if (isBarrier && after.records.has(`members/${actor}`)) judgeBarrier(field, now, actor)
}

/** The other host begins only when the first has let go. */
function judgeBarrier(field: Field, now: LogicalHostState, actor: string): void {
  const logicalHost = field.logicalHosts.find(({ name }) => name === now.name)
  if (logicalHost === undefined || isExcused(field, actor)) return
  const left = [
    ...logicalHost.diskGroups.filter((name) => field.world.imports.get(name)?.has(actor)),
    ...logicalHost.addresses
      .map(({ address }) => address)
      .filter((address) => field.world.addresses.get(address)?.has(actor)),
    ...field.world.servicesRunning(now.name, actor),
  ]
  if (left.length > 0)
    field.violation(`${now.name} committed as released by ${actor}, which still has ${left.join(', ')}`)
}

/** When faults have stopped: everything that can be mastered is, and the world is as the database says. Returns what is not. */
export function judgeRest(field: Field): readonly string[] {
  const snapshot = field.snapshot()
  return field.logicalHosts.flatMap((drawn) => {
    const configured = snapshot.records.get(`logicalHosts/${drawn.name}`)?.value as unknown as LogicalHost | undefined
    const logicalHost = configured ?? drawn
    const state = snapshot.records.get(`mastery/${logicalHost.name}`)?.value as unknown as LogicalHostState | undefined
    const members = logicalHost.physicalHosts.filter(
      (host) => (snapshot.records.get(`members/${host}`)?.value as unknown as Member | undefined)?.state === 'joined',
    )
    if (members.length === 0) return [`${logicalHost.name} has no possible master that is a member`]
    if (state?.mastery.kind !== 'mastered') return [`${logicalHost.name} is ${JSON.stringify(state?.mastery)}`]
    return judgeWhole(field, logicalHost, state.mastery.by)
  })
}

function judgeWhole(field: Field, logicalHost: LogicalHost, master: string): readonly string[] {
  const places: readonly [string, ReadonlySet<string> | undefined][] = [
    ...logicalHost.diskGroups.map((name): [string, ReadonlySet<string> | undefined] => [
      name,
      field.world.imports.get(name),
    ]),
    ...logicalHost.addresses.map(({ address }): [string, ReadonlySet<string> | undefined] => [
      address,
      field.world.addresses.get(address),
    ]),
  ]
  return places
    .filter(([, hosts]) => hosts?.size !== 1 || !hosts.has(master))
    .map(
      ([what, hosts]) =>
        `${what} of ${logicalHost.name} is on [${[...(hosts ?? [])].join(', ')}], not on its master ${master} alone`,
    )
}

function stateOf({ logicalHosts, snapshot }: Field, diskGroup: string): LogicalHostState | undefined {
  const logicalHost = logicalHosts.find(({ diskGroups }) => diskGroups.some((name) => name === diskGroup))
  if (logicalHost === undefined) return undefined
  return snapshot().records.get(`mastery/${logicalHost.name}`)?.value as unknown as LogicalHostState | undefined
}

function actorOf({ mastery }: LogicalHostState): string | undefined {
  if ('by' in mastery) return mastery.by
  return 'on' in mastery ? mastery.on : undefined
}
