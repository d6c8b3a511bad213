import { accessSync, constants, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describeError, HaError, isHaError } from '../../errors/ha-error.ts'
import { PROFILES } from '../../membership/check-timings.ts'
import type { ClusterConfig, Timings } from '../../model/cluster-config.ts'
import { type DatabasePlace, describePlace, type EtcdPlace } from '../../model/database-place.ts'
import { parseName } from '../../model/names.ts'
import { newPhysicalHost } from '../../model/new-physical-host.ts'
import { isSameValue } from '../../model/same-value.ts'
import type { ClusterDatabase, Guard, RecordKey, Snapshot } from '../../ports/cluster-database.ts'
import { decodeRecord } from '../../records/decode.ts'
import { type Draft, draftsOfConfiguration, toWrite } from '../../records/encode.ts'
import { AUTHORITY_KEY, CLUSTER_KEY, JOURNAL_KEY, keyOf } from '../../records/keys.ts'
import { addressOfUrl, readVoterFile } from '../../voter/voter-file.ts'
import {
  API_PORT,
  type ApiPlace,
  defaultDatabaseDirectory,
  type HostFile,
  hostFilePath,
  readHostFile,
  writeHostFile,
} from '../host-file.ts'
import { NEW_CLUSTER } from '../join.ts'
import { becomeTheOnlyOne } from '../only-one.ts'
import { managedPlace, ownAddresses, startManagedEtcd } from './managed-etcd.ts'
import { type EtcdOptions, etcdWarnings, openForCommand, parseEtcdPlace } from './own-etcd.ts'
import { identityRecords, prepareIdentity } from './own-identity.ts'

/** What `scadmin setup` is given. */
export interface SetUpRequest {
  /** `HAVEN_ROOT`, absolute. */
  readonly root: string
  readonly cluster: string
  readonly host: string
  /** `file:DIRECTORY`, `etcd://HOST:PORT,...`, or `etcd` for one that Haven runs; left out: what this host has already, else the default directory. */
  readonly database?: string
  /** What goes with `etcd://...`. */
  readonly etcd?: EtcdOptions
  /** The IP addresses of this machine at which the others reach it, and its voter. Left out: the only one it has where Haven runs an etcd, else nobody reaches it. */
  readonly addresses?: readonly string[]
  /** TCP port of the API for other hosts; left out: what this host has already, else `API_PORT`. */
  readonly port?: number
  /** Directory with `bin/voterd`. */
  readonly installation: string
}

/** What was set up. */
export interface SetUp {
  readonly cluster: string
  readonly physicalHost: string
  /** Where the cluster database is, as `--database` takes it. */
  readonly database: string
  /** What was done, one sentence each; empty = all of it was so already. */
  readonly done: readonly string[]
  /** What an operator should know about the database, one sentence each. */
  readonly warnings: readonly string[]
  /** Whether the cluster has members: then this host joins, else it is the first. */
  readonly isStarted: boolean
}

const RELAXED =
  ' Its timings are those of the profile relaxed, because how fast that etcd has a new leader is not known; if its --election-timeout is 500 or less: scconf CLUSTER --timings default'

/** Another host may be set up at the same moment. */
const TRIES_MAX = 5

/**
 * Makes this host part of a cluster: its own file, and its record in the cluster database, which is made when there is none. May be repeated; what is so
 * already stays. Throws `NAME_INVALID`, `USAGE`, `CONFIG_INVALID` (the database is that of another cluster), `CLUSTD_RUNNING` (and something is to change), `DATABASE_*`.
 */
export async function setUpHost(request: SetUpRequest): Promise<SetUp> {
  const { root } = request
  const present = readIfThere(root)
  await certifyFirst(request)
  const wanted = wantedFile(request, present)
  const isSame = isSameValue(present, wanted)
  const database = describePlace(wanted.database)
  if (isSame) await startIfManaged(request, wanted)
  if (isSame) return { ...(await enterDatabase(root, wanted)), ...namesOf(wanted), database }
  const unlock = becomeTheOnlyOne(root)
  try {
    // Before the database is touched: a host that cannot keep its own file should not be entered there.
    refuseUnwritable(root)
    await startIfManaged(request, wanted)
    const entered = await enterDatabase(root, wanted)
    writeHostFile(root, wanted)
    return { ...entered, ...namesOf(wanted), database, done: [...entered.done, `Wrote ${hostFilePath(root)}.`] }
  } finally {
    unlock()
  }
}

/** The voters of an etcd that Haven runs prove who they are from the first one on. */
async function certifyFirst(request: SetUpRequest): Promise<void> {
  const { root, addresses, port } = request
  if (request.database !== 'etcd' || readVoterFile(root) !== undefined) return
  const cluster = parseName('cluster', request.cluster)
  const physicalHost = parseName('physicalHost', request.host)
  const own = ownAddresses(addresses)
  await prepareIdentity(root, { cluster, physicalHost, api: { addresses: own, port: port ?? API_PORT } })
}

async function startIfManaged({ root, installation }: SetUpRequest, wanted: HostFile): Promise<void> {
  const { database } = wanted
  if (database.kind !== 'etcd' || !database.isManaged) return
  if (readVoterFile(root) === undefined && isOfOthers(root)) return
  await startManagedEtcd({ root, installation }, wanted, database)
}

/** A host of a cluster that has voters enough has none of its own. */
function isOfOthers(root: string): boolean {
  const present = readIfThere(root)?.database
  return present?.kind === 'etcd' && present.isManaged
}

function namesOf({ cluster, physicalHost }: HostFile): Pick<SetUp, 'cluster' | 'physicalHost'> {
  return { cluster, physicalHost }
}

function readIfThere(root: string): HostFile | undefined {
  try {
    return readHostFile(root)
  } catch (error) {
    // What is not as it should be is written anew, as its error asks for; what cannot be read cannot be written either, and is refused as that.
    if (!(error instanceof HaError) || isHaError(error, 'NOT_SET_UP') || isHaError(error, 'CONFIG_INVALID'))
      return undefined
    throw error
  }
}

function wantedFile(request: SetUpRequest, present: HostFile | undefined): HostFile {
  const cluster = parseName('cluster', request.cluster)
  const physicalHost = parseName('physicalHost', request.host)
  const isMove = present !== undefined && present.cluster !== cluster
  const former = isMove ? undefined : present?.database
  const byDefault: DatabasePlace = { kind: 'file', directory: defaultDatabaseDirectory(request.root) }
  const given = request.database === undefined ? (former ?? byDefault) : parsePlace(request, request.database)
  const database = former !== undefined && isSamePlace(given, former) ? former : given
  const api = wantedApi(request, database, isMove ? undefined : present?.api)
  const rebootCommand = present?.rebootCommand ?? []
  return { cluster, physicalHost, database, rebootCommand, ...(api !== undefined && { api }) }
}

/** Whoever found out about the voters has them in another order than who set them up. */
function isSamePlace(one: DatabasePlace, other: DatabasePlace): boolean {
  if (one.kind === 'file' || other.kind === 'file') return isSameValue(one, other)
  const sorted = ({ endpoints, ...rest }: EtcdPlace): EtcdPlace => ({ ...rest, endpoints: endpoints.toSorted() })
  return isSameValue(sorted(one), sorted(other))
}

/** Hosts of one machine speak with each other through its files; with other machines there is a network between. */
function wantedApi(
  { addresses, port }: SetUpRequest,
  database: DatabasePlace,
  present: ApiPlace | undefined,
): ApiPlace | undefined {
  if (addresses !== undefined && addresses.length > 0) return { addresses, port: port ?? present?.port ?? API_PORT }
  if (present !== undefined) return { ...present, port: port ?? present.port }
  if (database.kind === 'file') return port === undefined ? undefined : { addresses: [], port }
  const [own] = database.isManaged ? database.endpoints : []
  return { addresses: own === undefined ? [] : [addressOfUrl(own)], port: port ?? API_PORT }
}

function parsePlace({ root, addresses, etcd = {} }: SetUpRequest, text: string): DatabasePlace {
  if (text === 'etcd') return managedPlace(root, addresses)
  const ownEtcd = parseEtcdPlace(text, etcd)
  if (ownEtcd !== undefined) return ownEtcd
  const directory = /^file:(.+)$/.exec(text)?.[1]
  if (directory !== undefined) return { kind: 'file', directory: resolve(directory) }
  throw new HaError('USAGE', `'${text}' is no place of a cluster database`, {
    hint: 'For several machines: --database etcd (Haven runs it), or --database etcd://HOST:2379,... For one: --database file:DIRECTORY',
  })
}

function refuseUnwritable(root: string): void {
  const directory = dirname(hostFilePath(root))
  try {
    mkdirSync(directory, { recursive: true })
    accessSync(directory, constants.W_OK)
  } catch (cause) {
    throw new HaError('CONFIG_INVALID', `${directory} cannot be written: ${describeError(cause)}`, {
      hint: 'Ask as root, or set HAVEN_ROOT to a directory of your own.',
      cause,
    })
  }
}

/** Sees to it that the database is there, belongs to the cluster and knows the host: in one commit, or not at all. */
async function enterDatabase(root: string, wanted: HostFile): Promise<Pick<SetUp, 'done' | 'isStarted' | 'warnings'>> {
  const database = await openForCommand(wanted, { create: true })
  try {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const snapshot = await database.read()
      const isStarted = [...snapshot.records.keys()].some((key) => key.startsWith('members/'))
      const drafts = [...missingRecords(snapshot, wanted), ...(await identityRecords(root, wanted, snapshot))]
      if (drafts.length > 0 && !(await commit(database, snapshot, drafts))) continue
      return {
        done: tell(drafts, wanted),
        isStarted,
        warnings: await etcdWarnings(wanted.database, guardMs(snapshot, wanted)),
      }
    }
  } finally {
    await database.close()
  }
  throw new HaError('LOST_RACE', `the cluster database ${describePlace(wanted.database)} changed all the time`, {
    hint: 'Try again.',
  })
}

function missingRecords({ records }: Snapshot, { cluster, physicalHost, database }: HostFile): readonly Draft[] {
  const present = records.get(CLUSTER_KEY)
  const config: ClusterConfig = { ...NEW_CLUSTER, name: cluster, timings: timingsFor(database) }
  if (present !== undefined) refuseOtherCluster(present.value as { readonly name?: unknown }, cluster, database)
  if (present !== undefined) decodeRecord(CLUSTER_KEY, present.value)
  return [
    ...(present === undefined ? draftsOfConfiguration({ kind: 'cluster', cluster: config }) : []),
    ...(records.has(keyOf.physicalHost(physicalHost))
      ? []
      : draftsOfConfiguration({
          kind: 'put-physical-host',
          physicalHost: newPhysicalHost(physicalHost),
        })),
  ]
}

/** Nobody can ask an etcd how fast it has a new leader; one that was left as it comes takes longer than a short guard waits. */
function timingsFor(place: DatabasePlace): Timings {
  return place.kind === 'etcd' && !place.isManaged ? PROFILES.relaxed : NEW_CLUSTER.timings
}

function guardMs({ records }: Snapshot, { database }: HostFile): number {
  const present = records.get(CLUSTER_KEY)
  const decoded = present === undefined ? undefined : decodeRecord(CLUSTER_KEY, present.value)
  return (decoded?.kind === 'cluster' ? decoded.value.timings : timingsFor(database)).guardMs
}

function inWords(place: DatabasePlace): string {
  return place.kind === 'file' ? `in ${place.directory}` : `at ${describePlace(place)}`
}

function refuseOtherCluster({ name }: { readonly name?: unknown }, cluster: string, place: DatabasePlace): void {
  if (name === cluster) return
  throw new HaError(
    'CONFIG_INVALID',
    `the cluster database ${inWords(place)} is that of the cluster ${String(name)}, not of ${cluster}`,
    {
      hint: `Name the cluster ${String(name)}, or another place with --database file:DIRECTORY. Nothing was changed.`,
    },
  )
}

async function commit(database: ClusterDatabase, { records }: Snapshot, drafts: readonly Draft[]): Promise<boolean> {
  const keys: readonly RecordKey[] = [...new Set([CLUSTER_KEY, JOURNAL_KEY, ...drafts.map(({ key }) => key)])]
  const guards = keys.map((key): Guard => {
    const record = records.get(key)
    return record === undefined ? { kind: 'absent', key } : { kind: 'at', key, revision: record.revision }
  })
  const outcome = await database.commit(guards, drafts.map(toWrite), { durability: 'durable' })
  return outcome.kind === 'committed'
}

function tell(drafts: readonly Draft[], { cluster, physicalHost, database }: HostFile): readonly string[] {
  return drafts.flatMap(({ key }) => {
    switch (key) {
      case CLUSTER_KEY: {
        const timings = timingsFor(database) === PROFILES.relaxed ? RELAXED : ''
        return [`Made the cluster database of ${cluster} ${inWords(database)}.${timings}`]
      }
      case AUTHORITY_KEY:
        return [`Made the keys and certificates of ${cluster}.`]
      case keyOf.physicalHost(physicalHost):
        return [`Added the physical host ${physicalHost} to the cluster ${cluster}.`]
      default:
        return []
    }
  })
}
