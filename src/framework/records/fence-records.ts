import type { Fence, FenceDeviceStatus, FenceQuestion, Rejoins } from '../model/fencing.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { RecordKey } from '../ports/cluster-database.ts'
import { CopiedMap } from './copied-map.ts'
import type { Decoded } from './decode.ts'

/** What of a record fencing keeps. */
export type FenceDecoded = Extract<Decoded, { kind: 'fence' | 'fenceStatus' | 'fenceQuestion' | 'rejoins' }>

/** The part of the view that is about fencing. What it hands out never changes afterwards. */
export class FenceRecords {
  readonly #fences = new CopiedMap<PhysicalHostName, Fence>()
  readonly #status = new CopiedMap<RecordKey, FenceDeviceStatus>()
  readonly #questions = new CopiedMap<PhysicalHostName, FenceQuestion>()
  readonly #rejoins = new CopiedMap<PhysicalHostName, Rejoins>()

  /** The last fence of each host that was ever fenced. */
  fences(): ReadonlyMap<PhysicalHostName, Fence> {
    return this.#fences.handOut()
  }

  /** What fence devices said when hosts asked them last; keys of the records. */
  status(): ReadonlyMap<RecordKey, FenceDeviceStatus> {
    return this.#status.handOut()
  }

  /** Hosts that were asked for a sign of life before they would be fenced, with the last question. */
  questions(): ReadonlyMap<PhysicalHostName, FenceQuestion> {
    return this.#questions.handOut()
  }

  /** How hosts were lost and came back; those that were never lost are not in it. */
  rejoins(): ReadonlyMap<PhysicalHostName, Rejoins> {
    return this.#rejoins.handOut()
  }

  put(key: RecordKey, decoded: FenceDecoded): void {
    switch (decoded.kind) {
      case 'fence':
        return this.#fences.set(decoded.value.host, decoded.value)
      case 'fenceStatus':
        return this.#status.set(key, decoded.value)
      case 'fenceQuestion':
        return this.#questions.set(decoded.value.host, decoded.value)
      case 'rejoins':
        return this.#rejoins.set(decoded.value.host, decoded.value)
    }
  }

  forget(kind: FenceDecoded['kind'], key: RecordKey): void {
    const host = key.slice(key.indexOf('/') + 1) as PhysicalHostName
    switch (kind) {
      case 'fence':
        return this.#fences.delete(host)
      case 'fenceStatus':
        return this.#status.delete(key)
      case 'fenceQuestion':
        return this.#questions.delete(host)
      case 'rejoins':
        return this.#rejoins.delete(host)
    }
  }
}
