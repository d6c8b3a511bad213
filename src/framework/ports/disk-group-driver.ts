import type { DiskGroup } from '../model/cluster-config.ts'
import type { Leftover } from '../model/step.ts'

/** What this host sees of a disk group. */
export type DiskGroupStatus =
  /** Owned by this host and mounted. */
  | { readonly kind: 'imported' }
  /** Owned by this host but not (wholly) mounted, as after a crash in the middle. */
  | { readonly kind: 'partly'; readonly what: string }
  /** Not on this host. `owner` is the physical host that the ownership mark names; undefined when nobody owns it. */
  | { readonly kind: 'absent'; readonly owner: string | undefined }
  | { readonly kind: 'unusable'; readonly why: string }

/** What every call is told beside the disk group. */
export interface DiskGroupCall {
  /** Where it appears, absolute path below `HAVEN_ROOT` (which the driver prepends). */
  readonly mountPoint: string
  /** Aborts when the step's time is up or the host may no longer act; the driver ends its children and rejects soon. */
  readonly signal: AbortSignal
}

/** What an import is told beside. */
export interface ImportCall extends DiskGroupCall {
  readonly force: boolean
  /** The hosts that `force` may take a reservation from; absent: any host of the cluster. */
  readonly lostHosts?: readonly string[]
  /** Every physical host of the cluster, so that the owner of a reservation can be named; absent: only numbers are. */
  readonly physicalHosts?: readonly string[]
  /** The incarnation of this host, in whose name disks are reserved; absent: 0. */
  readonly incarnation?: number
}

/**
 * Storage of one kind. An instance belongs to one physical host (its name is written into the ownership mark).
 *
 * All calls are idempotent and may be cut anywhere: calling again from what is then there ends well. Calls for one disk group never overlap;
 * calls for different ones may. After a rejection nothing may be assumed but what `status` and `leftovers` say.
 */
export interface DiskGroupDriver {
  readonly kind: DiskGroup['kind']
  status(group: DiskGroup, call: DiskGroupCall): Promise<DiskGroupStatus>
  /**
   * Takes ownership, checks (non-interactively) and mounts. Without `force` an owner other than this host is `DISK_GROUP_HELD`; with it the mark is taken over.
   * Throws `DISK_GROUP_UNUSABLE` when it is missing, damaged beyond automatic repair or not what is configured. Never formats, never deletes data.
   *
   * With reservations: reserves the disks before anything is written; `force` ends the registrations of `lostHosts` with them. Imported already: the
   * reservation is looked after, and one that was lost to another host is `DISK_GROUP_HELD`; what is mounted here can write nothing any more.
   */
  import(group: DiskGroup, call: ImportCall): Promise<void>
  /**
   * Looks after the reservation of what is imported here: makes it again when the disk has forgotten it, or when it was another session's. Not imported,
   * or without reservations: nothing happens. Throws `DISK_GROUP_HELD` when another host has taken it. Absent: this kind knows no reservations.
   */
  keep?(group: DiskGroup, call: ImportCall): Promise<void>
  /**
   * Ends whatever still uses it here (TERM, then KILL), unmounts, gives ownership up. Already gone: success. Another host's mark is left alone.
   * Throws `DISK_GROUP_BUSY` with one detail per holder that would not go.
   */
  export(group: DiskGroup, call: DiskGroupCall): Promise<void>
  /**
   * Drops what has not come to the disk yet, as a loss of power would, and lets nothing come any more: for a guard that is late, when another host may have
   * taken the disk group over. What is imported stays so, and works no longer; `export` ends it. Not imported: nothing happens. Absent: nothing comes later.
   */
  cutOff?(group: DiskGroup, call: DiskGroupCall): Promise<void>
  /** Lists what of it is still on this host; empty = provably released. Looks at the system itself, never at what the driver remembers. */
  leftovers(group: DiskGroup, call: DiskGroupCall): Promise<readonly Leftover[]>
}
