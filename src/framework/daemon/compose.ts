import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownPathDirectories } from '../../methods/method-environment.ts'
import { createQuickMoves } from '../../methods/quick-cgroup-moves.ts'
import { createMethodRunner } from '../../methods/run-method.ts'
import { hostKey } from '../../methods/scope-names.ts'
import { endStrays } from '../../methods/stray-runs.ts'
import { createTagLook } from '../../methods/tagged-processes.ts'
import { buildApp } from '../api/app.ts'
import { socketPathOf } from '../api/client.ts'
import type { HostFacts } from '../api/host-facts.ts'
import { listenOnSocket } from '../api/listen.ts'
import { readLocalFacts } from '../api/local-facts.ts'
import { ipAddressDriver } from '../drivers/address/ip.ts'
import { localAddressDriver } from '../drivers/address/local.ts'
import { createCheckPrograms } from '../drivers/check-programs.ts'
import { directoryDriver } from '../drivers/disk-group/directory.ts'
import { fileSystemDriver } from '../drivers/disk-group/filesystem.ts'
import { createDeviceCheck } from '../drivers/fence/check-device.ts'
import { createFenceAgents } from '../drivers/fence/fence-agents.ts'
import { createLookForMissing } from '../drivers/missing-programs.ts'
import { groupedAddresses } from '../drivers/network/grouped-addresses.ts'
import { openPeers } from '../drivers/network/open-peers.ts'
import { RealPublicAdapters } from '../drivers/network/public-adapters.ts'
import { driverTag } from '../drivers/processes.ts'
import { createRunCommand, type RunCommand } from '../drivers/run-command.ts'
import { isHaError } from '../errors/ha-error.ts'
import { createRealHands } from '../execute/real-hands.ts'
import { composeHands } from '../failfast/compose-hands.ts'
import { createGuardClient } from '../failfast/guard-client.ts'
import { readGuardReports } from '../failfast/guard-reports.ts'
import { databaseCallMs, PROFILES } from '../membership/check-timings.ts'
import type { Admission } from '../model/admission.ts'
import type { LogicalAddress, Timings } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { GuardReport } from '../model/guard-report.ts'
import type { LogicalHostName } from '../model/names.ts'
import type { ClusterDatabase } from '../ports/cluster-database.ts'
import type { Effects } from '../ports/effects.ts'
import type { Guard } from '../ports/guard.ts'
import { createProcSearch } from '../ports/real-proc-search.ts'
import { securityPaths } from '../security/paths.ts'
import { COMPACT_EVERY_MS } from '../store/etcd/limits.ts'
import { openDatabase } from '../store/open-database.ts'
import { renewBeforeStart } from './certificate-keeper.ts'
import { type HostFile, readHostFile, writeHostFile } from './host-file.ts'
import { createHostVoters } from './host-voters.ts'
import type { StartWish } from './join.ts'
import type { DaemonLog } from './log.ts'
import { createHostLoop, type HostLoop } from './loop.ts'
import { localizePlace } from './offline/managed-etcd.ts'
import { LOOP_SETTINGS } from './parts.ts'
import { PlanRing } from './plan-ring.ts'
import { composeSecurity } from './security.ts'

/** What a daemon is composed for. */
export interface Composition {
  /** `HAVEN_ROOT`, absolute. */
  readonly root: string
  /** Directory with `bin/` and `dist/` of this Haven. */
  readonly installation: string
  readonly hostFile: HostFile
  readonly mode: StartWish
  readonly effects: Effects
  readonly log: DaemonLog
}

/** A daemon that was put together; nothing of it runs yet. */
export interface Daemon {
  readonly loop: HostLoop
  /** Answers the API on the socket. */
  listen(): Promise<void>
  /** Ends the API and whatever the drivers do in the background. */
  close(): Promise<void>
}

/** Milliseconds that clustd waits for an etcd that comes up at the same time as its host. */
const OPEN_WITHIN_MS = 10_000

/** Wires clustd: the only place that says which database, drivers, methods and guard it is made of. Throws `DATABASE_*`. */
export async function composeDaemon(composition: Composition): Promise<Daemon> {
  const { root, hostFile, effects, log } = composition
  const warn = (message: string): void => log.write({ level: 'warn', message })
  const place = { root, cluster: hostFile.cluster, physicalHost: hostFile.physicalHost }
  const pathDirectories = ownPathDirectories(composition.installation)
  const searchProc = createProcSearch(effects)
  const lookForTags = createTagLook(hostKey(place), searchProc)
  const driverHost = { ...place, scope: hostKey(place), effects, searchProc, lookForTags }
  const diskGroups = { directory: directoryDriver(driverHost), filesystem: fileSystemDriver(driverHost) }
  const adapters = new RealPublicAdapters(driverHost, { warn })
  const addresses = {
    local: localAddressDriver(driverHost),
    ip: groupedAddresses(ipAddressDriver(driverHost), adapters.places, effects),
  }
  const runCommand = createRunCommand({ effects, tag: driverTag(hostKey(place), 'programs') })
  const runFence = createRunCommand({ effects, tag: driverTag(hostKey(place), 'fence') })
  const missingPrograms = createLookForMissing(runCommand)
  const pathPrefixOf = (logicalHost: LogicalHostName): string => join(root, logicalHost)
  let timings = (): Timings => PROFILES.default
  // The database may ask for a certificate that is good.
  await renewBeforeStart(root, effects, log)
  const { database, addEndpoints } = await openHostDatabase(composition, () => timings())
  const plans = new PlanRing(root, effects, log)
  const heartbeats = join(composition.installation, 'dist/heartbeat-worker.mjs')
  let reports: readonly GuardReport[] = await readGuardReports(root)
  const quickMoves = createQuickMoves(effects)
  const loop: HostLoop = createHostLoop({
    host: hostFile.physicalHost,
    cluster: hostFile.cluster,
    database,
    effects,
    peers: openPeers(securityPaths(root).clusterKey, { ...place, program: heartbeats, effects, warn }),
    hands: createRealHands({
      diskGroups,
      addresses,
      methods: createMethodRunner({ ...place, pathDirectories, effects, lookForTags, quickMoves, log: warn }),
      pathPrefixOf,
    }),
    guard: guardOf(composition, () => timings()),
    log,
    endStrays: () => endStrays({ ...place, hostKey: hostKey(place), lookForTags, effects }),
    pathPrefixOf,
    identity: { root, pid: process.pid, version: versionOf(composition.installation) },
    settings: LOOP_SETTINGS,
    fenceAgents: createFenceAgents({ run: runFence, effects, warn }),
    expectCalls: () => {
      quickMoves.expectCalls()
      if (usesIp(loop)) addresses.ip.expect?.()
    },
    publicAdapters: adapters,
    keepReservations: async ({ diskGroup }, call) => diskGroups.filesystem.keep?.(diskGroup, call),
    recordPlan: (input) => plans.record(input),
    missingPrograms,
    guardReports: () => reports,
  })
  timings = () => timingsOf(loop)
  const doors = openDoors(composition, { loop, runCommand, runFence, addEndpoints })
  return {
    loop,
    listen: async () => {
      // Former lives are reported once they were cleaned up after, which the start has done.
      reports = await readGuardReports(root)
      await doors.open()
    },
    close: async () => {
      const drivers = [addresses.local.close(), addresses.ip.close(), adapters.close()]
      await Promise.all([doors.close(), ...drivers, plans.flush(), database.close()])
    },
  }
}

/** Makes clustd's side of the guard. */
function guardOf({ root, hostFile, installation, effects, log }: Composition, timings: () => Timings): Guard {
  const place = { root, cluster: hostFile.cluster, physicalHost: hostFile.physicalHost }
  const pathDirectories = ownPathDirectories(installation)
  return createGuardClient({
    ...place,
    program: join(installation, 'dist/failfastd.mjs'),
    pathDirectories,
    rebootCommand: hostFile.rebootCommand,
    timings,
    hands: composeHands({ ...place, pathDirectories }, effects),
    log,
  })
}

/** What the API is answered with. */
interface DoorParts {
  readonly loop: HostLoop
  readonly runCommand: RunCommand
  readonly runFence: RunCommand
  addEndpoints(endpoints: readonly string[]): void
}

/** Makes what answers commands on the socket and other hosts over the network, and what looks after the voters. */
function openDoors(
  { root, hostFile, effects, log, installation }: Composition,
  { loop, runCommand, runFence, addEndpoints }: DoorParts,
): { open(): Promise<void>; close(): Promise<void> } {
  const hostVoters = createHostVoters(root, { effects, log })
  const version = versionOf(installation)
  const { desk, calls, ...security } = composeSecurity({ root, hostFile, loop, effects, log, version, ...hostVoters })
  const facts: HostFacts = {
    effects,
    ...readLocalFacts(createLookForMissing(runCommand), createCheckPrograms(runCommand)),
    checkFenceDevice: createDeviceCheck(runFence),
    recentMessages: (max) => log.recent(max),
    voterWarnings: hostVoters.warnings,
  }
  const app = buildApp(loop.services, { facts, desk, calls, log })
  const ender = new AbortController()
  return {
    open: async () => {
      await listenOnSocket(app, socketPathOf(root))
      security.start(facts)
      const machines = (): readonly string[] => namesOf(loop.book.seen().admissions)
      const state = (): ClusterState => loop.services.state()
      void hostVoters.follow({ add: addEndpoints, machines, state, signal: ender.signal })
    },
    close: async () => {
      ender.abort('clustd ends')
      await Promise.all([app.close(), security.close()])
    },
  }
}

function namesOf(admissions: ReadonlyMap<string, Admission>): readonly string[] {
  return [...admissions.values()].filter(({ evicted }) => evicted === null).map(({ name }) => name)
}

/** Opens the database, which may move to another place, and may be told of further endpoints, while it is used. */
async function openHostDatabase(
  { root, hostFile, effects, log, mode }: Composition,
  timings: () => Timings,
): Promise<{ readonly database: ClusterDatabase; addEndpoints(endpoints: readonly string[]): void }> {
  let client: { add(endpoints: readonly string[]): void } | undefined
  const database = await openDatabase(hostFile, {
    effects,
    create: mode === 'found',
    log: (message) => log.write({ level: 'warn', message }),
    callMs: () => databaseCallMs(timings()),
    openWithinMs: OPEN_WITHIN_MS,
    compactEveryMs: COMPACT_EVERY_MS,
    localize: (moved) => localizePlace(root, moved),
    // Read anew: the command that moved it may have written where others reach this host.
    onMoved: (moved) => writeHostFile(root, { ...readHostFile(root), database: moved }),
    onOpened: (opened) => {
      client = opened
    },
  })
  return { database, addEndpoints: (endpoints) => client?.add(endpoints) }
}

function usesIp(loop: HostLoop): boolean {
  const isIp = ({ kind }: LogicalAddress): boolean => kind === 'ip'
  return [...(stateOf(loop)?.logicalHosts.values() ?? [])].some(({ addresses }) => addresses.some(isIp))
}

function timingsOf(loop: HostLoop): Timings {
  return stateOf(loop)?.cluster.timings ?? PROFILES.default
}

/** Undefined before there is a configuration. */
function stateOf({ services }: HostLoop): ClusterState | undefined {
  try {
    return services.state()
  } catch (error) {
    if (!isHaError(error, 'NOT_SET_UP')) throw error
    return undefined
  }
}

function versionOf(installation: string): string {
  const { version } = JSON.parse(readFileSync(join(installation, 'package.json'), 'utf8')) as {
    readonly version: string
  }
  return version
}
