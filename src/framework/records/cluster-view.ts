import assert from 'node:assert/strict'
import { HaError, isHaError } from '../errors/ha-error.ts'
import type { ClusterConfig, DataService, DiskGroup, LogicalHost, PhysicalHost } from '../model/cluster-config.ts'
import type { ClusterState, Member, Stamp } from '../model/cluster-state.ts'
import type { FenceDevice } from '../model/fencing.ts'
import type { LogicalHostState } from '../model/mastery.ts'
import type { MissingPrograms } from '../model/missing-programs.ts'
import type {
  DataServiceName,
  DiskGroupName,
  FenceDeviceName,
  LogicalHostName,
  NetworkName,
  PhysicalHostName,
} from '../model/names.ts'
import type { Network, NetworkSight } from '../model/network.ts'
import { stateOfNewLogicalHost } from '../model/new-logical-host.ts'
import type { Reconfiguration } from '../model/reconfiguration.ts'
import type { Progress } from '../model/timeline.ts'
import type { Change, DatabaseRecord, Guard, RecordKey, Snapshot } from '../ports/cluster-database.ts'
import { Admissions } from './admissions.ts'
import { CopiedMap } from './copied-map.ts'
import { type Decoded, type DecodedKind, decodeRecord, kindOf } from './decode.ts'
import type { Draft } from './encode.ts'
import { FenceRecords } from './fence-records.ts'
import { HalfRuns } from './half-runs.ts'

import { Reconfigurations } from './reconfigurations.ts'
import { Revisions } from './revisions.ts'
import type { Journal } from './state-shapes.ts'

/** A stamp with the revision at which it was written: what an observer watches. */
export interface StampSeen {
  readonly stamp: Stamp
  readonly revision: number
}

/** What one batch of changes touched. */
export interface Touched {
  /** Anything that `ClusterState` or the reconfigurations hold. */
  readonly state: boolean
  /** The stamps that were written or removed. */
  readonly stamps: readonly PhysicalHostName[]
  /** Timelines, progress, which programs are missing, fences, admissions. */
  readonly timeline: boolean
}

/**
 * What this host knows of the cluster database, in the terms of the model, kept up to date from changes at a cost that grows with them only.
 *
 * A record is replaced by a newer one of itself and never by an older one: snapshots, watch events and this host's own commits may come in any order.
 * What `state()` and the other questions return never changes afterwards.
 */
export class ClusterView {
  readonly #onInvalid: (error: HaError) => void
  readonly #revisions = new Revisions()
  #cluster: ClusterConfig | undefined
  #journal: Journal = { last: 0, first: 0 }
  readonly #physicalHosts = new CopiedMap<PhysicalHostName, PhysicalHost>()
  readonly #networks = new CopiedMap<NetworkName, Network>()
  readonly #fenceDevices = new CopiedMap<FenceDeviceName, FenceDevice>()
  readonly #diskGroups = new CopiedMap<DiskGroupName, DiskGroup>()
  readonly #logicalHosts = new CopiedMap<LogicalHostName, LogicalHost>()
  readonly #logicalHostRevisions = new CopiedMap<LogicalHostName, number>()
  readonly #dataServices = new CopiedMap<DataServiceName, DataService>()
  readonly #members = new CopiedMap<PhysicalHostName, Member>()
  readonly #states = new CopiedMap<LogicalHostName, LogicalHostState>()
  readonly #masteries = new Map<LogicalHostName, LogicalHostState>()
  readonly #stamps = new CopiedMap<PhysicalHostName, StampSeen>()
  readonly #reconfigurations = new Reconfigurations()
  readonly #halfRuns = new HalfRuns()
  readonly #progress = new CopiedMap<RecordKey, Progress>()
  readonly #missingPrograms = new CopiedMap<PhysicalHostName, MissingPrograms>()
  readonly #sights = new CopiedMap<PhysicalHostName, NetworkSight>()
  /** Fences, devices' answers, questions, rejoins. */
  readonly fencing = new FenceRecords()
  /** Who belongs to the cluster, and who may join it. */
  readonly admissions = new Admissions()
  #contentRevision = 0
  #state: ClusterState | undefined
  #touched: { state: boolean; stamps: Set<PhysicalHostName>; timeline: boolean } = nothingTouched()

  /** The revision up to which everything is known; single records may be newer (own commits). */
  get revision(): number {
    return this.#revisions.complete
  }

  /** The greatest revision at which something other than a stamp was written. */
  get contentRevision(): number {
    return this.#contentRevision
  }

  /** Tells whether a cluster is configured at all. */
  get isConfigured(): boolean {
    return this.#cluster !== undefined
  }

  /** Returns the state of the cluster. Throws `NOT_SET_UP` when none is configured yet. */
  state(): ClusterState {
    if (this.#cluster === undefined) {
      throw new HaError('NOT_SET_UP', 'the cluster database holds no cluster yet', {
        hint: 'Start the cluster with: scadmin startcluster HOST CLUSTER',
      })
    }
    if (this.#state?.revision !== this.#revisions.complete) this.#state = undefined
    this.#state ??= {
      revision: this.#revisions.complete,
      cluster: this.#cluster,
      physicalHosts: this.#physicalHosts.handOut(),
      networks: this.#networks.handOut(),
      fenceDevices: this.#fenceDevices.handOut(),
      diskGroups: this.#diskGroups.handOut(),
      logicalHosts: this.#logicalHosts.handOut(),
      logicalHostRevisions: this.#logicalHostRevisions.handOut(),
      dataServices: this.#dataServices.handOut(),
      members: this.#members.handOut(),
      sights: this.#sights.handOut(),
      states: this.#states.handOut(),
      lastReconfiguration: this.#journal.last,
    }
    return this.#state
  }

  journal(): Journal {
    return this.#journal
  }

  stamps(): ReadonlyMap<PhysicalHostName, StampSeen> {
    return this.#stamps.handOut()
  }

  reconfigurations(): ReadonlyMap<number, Reconfiguration> {
    return this.#reconfigurations.all()
  }

  halfRuns(): HalfRuns {
    return this.#halfRuns
  }

  progress(): ReadonlyMap<RecordKey, Progress> {
    return this.#progress.handOut()
  }

  /** What hosts cannot execute although they may have to; hosts that miss nothing, or have not looked yet, are not in it. */
  missingPrograms(): ReadonlyMap<PhysicalHostName, MissingPrograms> {
    return this.#missingPrograms.handOut()
  }

  /** How many records hold the reconfiguration beside its first one. */
  partsOf(reconfiguration: number): number {
    return this.#reconfigurations.partsOf(reconfiguration)
  }

  /** Returns the guard that the record is as this view knows it: at its revision, or absent. */
  guardOf(key: RecordKey): Guard {
    const revision = this.#revisions.of(key)
    return revision === undefined ? { kind: 'absent', key } : { kind: 'at', key, revision }
  }

  /** Keys of the records of a folder, for the rare question that needs them all. */
  keysIn(folder: string): readonly RecordKey[] {
    return this.#revisions.keysIn(folder)
  }

  /**
   * `onInvalid` is told of each record that cannot be read (`RECORD_INVALID`). The view then keeps what it knew of that record, with its old revision:
   * nothing that rests on it can be committed, and everything else goes on.
   */
  constructor(onInvalid: (error: HaError) => void) {
    this.#onInvalid = onInvalid
  }

  /** Takes a whole snapshot in; decodes only what is new in it. */
  reset(snapshot: Snapshot): Touched {
    for (const key of this.#revisions.missingIn(snapshot)) this.#drop(key, snapshot.revision)
    for (const record of snapshot.records.values()) {
      if (this.#revisions.isNews(record.key, record.revision)) {
        this.#read(record)
      }
    }
    this.#revisions.completeTo(snapshot.revision)
    return this.#takeTouched()
  }

  /** Takes the changes of a watch event in. What is known already, or older, is ignored. */
  apply(event: { readonly revision: number; readonly changes: readonly Change[] }): Touched {
    for (const change of event.changes) {
      if (change.kind === 'delete') this.#drop(change.key, change.revision)
      else if (this.#revisions.isNews(change.record.key, change.record.revision)) {
        this.#read(change.record)
      }
    }
    this.#revisions.completeTo(event.revision)
    return this.#takeTouched()
  }

  /** Takes in what this host has just committed, before the watch tells of it. */
  committed(revision: number, drafts: readonly Draft[]): Touched {
    for (const draft of drafts) {
      if (draft.kind === 'delete') this.#drop(draft.key, revision)
      else if (this.#revisions.isNews(draft.key, revision)) this.#put(draft.key, revision, draft.decoded)
    }
    return this.#takeTouched()
  }

  #read({ key, revision, value }: DatabaseRecord): void {
    try {
      this.#put(key, revision, decodeRecord(key, value))
    } catch (error) {
      if (!isHaError(error, 'RECORD_INVALID')) throw error
      this.#onInvalid(error)
    }
  }

  #put(key: RecordKey, revision: number, decoded: Decoded | undefined): void {
    this.#revisions.put(key, revision)
    this.#touch(kindOf(key), revision)
    if (decoded === undefined) return
    assert.equal(decoded.kind, kindOf(key), `the record ${key} holds a ${decoded.kind}`)
    this.#keep(key, revision, decoded)
  }

  #keep(key: RecordKey, revision: number, decoded: Decoded): void {
    switch (decoded.kind) {
      case 'cluster':
        this.#cluster = decoded.value
        return
      case 'journal':
        this.#journal = decoded.value
        return
      case 'physicalHost':
        return this.#physicalHosts.set(decoded.value.name, decoded.value)
      case 'network':
        return this.#networks.set(decoded.value.name, decoded.value)
      case 'fenceDevice':
        return this.#fenceDevices.set(decoded.value.name, decoded.value)
      case 'diskGroup':
        return this.#diskGroups.set(decoded.value.name, decoded.value)
      case 'logicalHost':
        this.#logicalHosts.set(decoded.value.name, decoded.value)
        this.#logicalHostRevisions.set(decoded.value.name, revision)
        return this.#restate(decoded.value.name)
      case 'dataService':
        return this.#dataServices.set(decoded.value.name, decoded.value)
      case 'member':
        return this.#members.set(decoded.value.host, decoded.value)
      case 'stamp':
        this.#touched.stamps.add(decoded.value.host)
        return this.#stamps.set(decoded.value.host, { stamp: decoded.value, revision })
      case 'mastery':
        this.#masteries.set(decoded.value.name, decoded.value)
        return this.#restate(decoded.value.name)
      case 'reconfiguration':
        return this.#reconfigurations.putHead(decoded.value)
      case 'reconfigurationPart':
        return this.#reconfigurations.putPart(decoded.value)
      case 'halfRun':
        return this.#halfRuns.put(decoded.value)
      case 'progress':
        return this.#progress.set(key, decoded.value)
      case 'missingPrograms':
        return this.#missingPrograms.set(decoded.value.host, decoded.value)
      case 'sight':
        return this.#sights.set(decoded.value.host, decoded.value)
      case 'fence':
      case 'fenceStatus':
      case 'fenceQuestion':
      case 'rejoins':
        return this.fencing.put(key, decoded)
      case 'authority':
      case 'admission':
      case 'joinToken':
        return this.admissions.put(decoded)
    }
  }

  #drop(key: RecordKey, revision: number): void {
    const isKnown = this.#revisions.of(key) !== undefined
    if (!this.#revisions.drop(key, revision) || !isKnown) return
    const kind = kindOf(key)
    this.#touch(kind, revision)
    if (kind !== undefined) this.#forget(key, kind)
  }

  #forget(key: RecordKey, kind: DecodedKind): void {
    // Keys are made from names only (`keyOf`), so that what follows the slash is the name.
    const name = key.slice(key.indexOf('/') + 1)
    switch (kind) {
      case 'cluster':
        this.#cluster = undefined
        return
      case 'journal':
        this.#journal = { last: 0, first: 0 }
        return
      case 'physicalHost':
        return this.#physicalHosts.delete(name as PhysicalHostName)
      case 'network':
        return this.#networks.delete(name as NetworkName)
      case 'fenceDevice':
        return this.#fenceDevices.delete(name as FenceDeviceName)
      case 'diskGroup':
        return this.#diskGroups.delete(name as DiskGroupName)
      case 'logicalHost':
        this.#logicalHosts.delete(name as LogicalHostName)
        this.#logicalHostRevisions.delete(name as LogicalHostName)
        return this.#restate(name as LogicalHostName)
      case 'dataService':
        return this.#dataServices.delete(name as DataServiceName)
      case 'member':
        return this.#members.delete(name as PhysicalHostName)
      case 'stamp':
        this.#touched.stamps.add(name as PhysicalHostName)
        return this.#stamps.delete(name as PhysicalHostName)
      case 'mastery':
        this.#masteries.delete(name as LogicalHostName)
        return this.#restate(name as LogicalHostName)
      case 'reconfiguration':
        return this.#reconfigurations.drop(Number(name))
      case 'reconfigurationPart':
        return
      case 'halfRun':
        return this.#halfRuns.drop(key)
      case 'progress':
        return this.#progress.delete(key)
      case 'missingPrograms':
        return this.#missingPrograms.delete(name as PhysicalHostName)
      case 'sight':
        return this.#sights.delete(name as PhysicalHostName)
      case 'fence':
      case 'fenceStatus':
      case 'fenceQuestion':
      case 'rejoins':
        return this.fencing.forget(kind, key)
      case 'authority':
      case 'admission':
      case 'joinToken':
        return this.admissions.forget(kind, name)
    }
  }

  /** Each configured logical host has a state, and nothing else has one. */
  #restate(name: LogicalHostName): void {
    if (!this.#logicalHosts.has(name)) this.#states.delete(name)
    else this.#states.set(name, this.#masteries.get(name) ?? stateOfNewLogicalHost(name))
  }

  #touch(kind: DecodedKind | undefined, revision: number): void {
    if (kind === 'stamp') return
    this.#contentRevision = Math.max(this.#contentRevision, revision)
    if (kind !== undefined && BESIDE_THE_STATE.has(kind)) this.#touched.timeline = true
    else this.#touched.state = true
  }

  #takeTouched(): Touched {
    const { state, stamps, timeline } = this.#touched
    if (state) this.#state = undefined
    this.#touched = nothingTouched()
    return { state, stamps: [...stamps], timeline }
  }
}

/** Kinds of records that `ClusterState` and the reconfigurations do not hold. */
const BESIDE_THE_STATE: ReadonlySet<DecodedKind> = new Set([
  'halfRun',
  'progress',
  'missingPrograms',
  'fence',
  'fenceStatus',
  'fenceQuestion',
  'rejoins',
  'authority',
  'admission',
  'joinToken',
])

function nothingTouched(): { state: boolean; stamps: Set<PhysicalHostName>; timeline: boolean } {
  return { state: false, stamps: new Set(), timeline: false }
}
