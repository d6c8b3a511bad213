import { HaError, isHaError } from '../../errors/ha-error.ts'
import { PROFILES } from '../../membership/check-timings.ts'
import type { Timings } from '../../model/cluster-config.ts'
import { describePlace, type EtcdPlace } from '../../model/database-place.ts'
import type { ClusterDatabase, Snapshot } from '../../ports/cluster-database.ts'
import { createRealEffects } from '../../ports/real-effects.ts'
import { CLUSTER_KEY } from '../../records/keys.ts'
import { renewOwnCertificate } from '../../security/renew.ts'
import { openFileDatabase } from '../../store/file/open-file-database.ts'
import { copyAhead, finishCopy } from '../../store/move/copy-records.ts'
import {
  isOfMove,
  MOVED_KEY,
  MOVING_KEY,
  type Moved,
  movedOf,
  moveRecord,
  READY_PREFIX,
} from '../../store/move/move-records.ts'
import { openEtcd } from '../../store/open-database.ts'
import { addressOfUrl } from '../../voter/voter-file.ts'
import { API_PORT, type HostFile, readHostFile, writeHostFile } from '../host-file.ts'
import { type ManagedHost, managedPlace, startManagedEtcd } from './managed-etcd.ts'
import { type EtcdOptions, etcdWarnings, parseEtcdPlace } from './own-etcd.ts'

/** What `scadmin database migrate` is given. */
export interface MigrateRequest extends ManagedHost {
  /** Where to: `etcd` for one that Haven runs on this host, or `etcd://HOST:PORT,...`. */
  readonly database: string
  /** For an etcd that Haven runs: the IP addresses of this machine at which the others will reach it. Left out: the only one it has. */
  readonly addresses?: readonly string[]
  /** What goes with `etcd://...`. */
  readonly etcd?: EtcdOptions
}

/** What was moved. */
export interface Migrated {
  readonly from: string
  readonly to: string
  readonly records: number
  /** The last revision in the files; those in etcd count on. */
  readonly revision: number
  /** Milliseconds in which the cluster database took no commits. */
  readonly heldMs: number
  /** What the operator should know; one sentence each. */
  readonly warnings: readonly string[]
}

type FileHost = HostFile & { readonly database: { readonly kind: 'file' } }

/** Longer than an election of an etcd of unknown tuning. */
const OPEN_WITHIN_MS = 5000
/** To load the client of etcd and to connect takes 0.3 s, on a busy machine some seconds. Who is not ready by then may miss a stamp. */
const READY_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 20

/**
 * Moves the cluster database of this machine from files to etcd while the cluster runs: every clustd goes along by itself, and no service is touched.
 * Copies what is there; then one commit, the last one in the files, says where it has gone: until then it is in the files, from then on in etcd, whatever happens to
 * this process: every clustd copies the rest if it finds that nobody has. May be repeated.
 * Throws `NOT_SET_UP`, `CONFIG_INVALID` (it is in etcd already, or there is another one), `ETCD_UNUSABLE`, `DATABASE_*`.
 */
export async function migrateDatabase(request: MigrateRequest): Promise<Migrated> {
  const { root } = request
  const host = fileHostOf(root)
  const to = placeTo(request)
  const effects = createRealEffects()
  const { api } = to.isManaged ? await openToOthers(root, host, to) : host
  if (to.isManaged) await startManagedEtcd(request, host, to)
  const { directory } = host.database
  const source = await openFileDatabase({ directory, effects })
  try {
    const target = await openEtcd({ ...host, database: to }, { effects, create: true, openWithinMs: OPEN_WITHIN_MS })
    try {
      const moved = await wayOf(source, target, to)
      await letMakeReady(source, moved)
      const sinceMs = effects.nowMonotonicMs()
      const sealed = await seal(source, moved)
      await finishCopy(sealed, target, moved)
      const heldMs = effects.nowMonotonicMs() - sinceMs
      // A clustd that runs here writes the same.
      writeHostFile(root, { ...host, database: to, ...(api !== undefined && { api }) })
      const { revision, records } = sealed
      const from = describePlace(host.database)
      return {
        from,
        to: describePlace(to),
        records: [...records.keys()].filter((key) => !isOfMove(key)).length,
        revision,
        heldMs,
        warnings: await warningsOf(sealed, to),
      }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** A host of a single machine may have been set up without an address: its certificate must be for it before others, or etcd, believe it. */
async function openToOthers(root: string, host: FileHost, to: EtcdPlace): Promise<FileHost> {
  const addresses = to.endpoints.map(addressOfUrl)
  await renewOwnCertificate({ root, effects: createRealEffects(), tell: () => undefined }, addresses)
  if (host.api !== undefined && host.api.addresses.length > 0) return host
  const told: FileHost = { ...host, api: { addresses, port: host.api?.port ?? API_PORT } }
  writeHostFile(root, told)
  return told
}

function fileHostOf(root: string): FileHost {
  const host = readHostFile(root)
  const { database } = host
  if (database.kind === 'file') return { ...host, database }
  throw new HaError('CONFIG_INVALID', `the cluster database is in etcd already: ${describePlace(database)}`, {
    hint: 'Nothing needs to be done.',
  })
}

/** Copies ahead; returns what was begun before, when that was cut off after the point of no return. */
async function wayOf(source: ClusterDatabase, target: ClusterDatabase, to: EtcdPlace): Promise<Moved> {
  const snapshot = await source.read()
  const begun = movedOf(snapshot)
  if (begun !== undefined) return begun
  if (!snapshot.records.has(CLUSTER_KEY)) {
    throw new HaError('CONFIG_INVALID', 'there is no cluster in the files yet', {
      hint: 'Set it up in etcd at once: scadmin setup --database etcd',
    })
  }
  const { nowWallMs, random } = createRealEffects()
  const id = `${Math.round(nowWallMs()).toString(36)}-${Math.floor(random() * 2 ** 48).toString(36)}`
  const moved: Moved = { id, to }
  await copyAhead(snapshot, target, moved)
  return moved
}

/** Tells every clustd where the database is about to go, and waits until all are connected there, a while at most. */
async function letMakeReady(source: ClusterDatabase, moved: Moved): Promise<void> {
  const effects = createRealEffects()
  const before = await source.read()
  if (movedOf(before) !== undefined) return
  const former = [...before.records.keys()].filter((key) => key.startsWith(READY_PREFIX))
  await source.commit(
    [],
    [
      ...former.map((key) => ({ kind: 'delete', key }) as const),
      { kind: 'put', key: MOVING_KEY, value: moveRecord(moved) },
    ],
    { durability: 'volatile' },
  )
  const untilMs = effects.nowMonotonicMs() + READY_WITHIN_MS
  while (effects.nowMonotonicMs() < untilMs) {
    const { records } = await source.read()
    const members = [...records.keys()].filter((key) => key.startsWith('members/'))
    const ready = [...records.values()].filter(({ key, value }) => key.startsWith(READY_PREFIX) && value === moved.id)
    if (ready.length >= members.length) return
    await effects.sleep(LOOK_EVERY_MS)
  }
}

/** The point of no return. Another one may be doing the same: then his way is taken. */
async function seal(source: ClusterDatabase, moved: Moved): Promise<Snapshot> {
  try {
    const writes = [
      { kind: 'put', key: MOVED_KEY, value: moveRecord(moved) },
      { kind: 'delete', key: MOVING_KEY },
    ] as const
    await source.commit([{ kind: 'absent', key: MOVED_KEY }], writes, { durability: 'durable' })
  } catch (error) {
    if (!isHaError(error, 'DATABASE_MOVED')) throw error
  }
  const sealed = await source.read()
  if (movedOf(sealed)?.id === moved.id) return sealed
  throw new HaError('LOST_RACE', 'somebody else moves the cluster database at this moment', {
    hint: 'See where it has gone: scadmin database check',
  })
}

function placeTo({ root, database, addresses, etcd = {} }: MigrateRequest): EtcdPlace {
  if (database === 'etcd') return managedPlace(root, addresses)
  const place = parseEtcdPlace(database, etcd)
  if (place !== undefined) return place
  throw new HaError('USAGE', `'${database}' is no etcd`, {
    hint: 'Move to --database etcd (Haven runs it), or to --database etcd://HOST:2379,...',
  })
}

async function warningsOf({ records }: Snapshot, to: EtcdPlace): Promise<readonly string[]> {
  const cluster = records.get(CLUSTER_KEY)?.value as { readonly timings?: Timings } | undefined
  return etcdWarnings(to, (cluster?.timings ?? PROFILES.default).guardMs)
}
