import type { RecordKey } from '../../ports/cluster-database.ts'

/** A range of keys, as etcd takes it: from `key` to before `range_end`. */
export interface KeyRange {
  readonly key: Buffer
  readonly range_end: Buffer
}

/**
 * Says which keys of etcd a cluster has, all of them below `/haven/<cluster>/`: `layout` (which version of this table holds),
 * `records/<key>` and `writers/<writer>/<lane>` (the last commit of one writer, see `committer.ts`).
 */
export class Keyspace {
  readonly prefix: string
  /** Everything of this cluster. */
  readonly whole: KeyRange
  readonly records: KeyRange
  readonly lanes: KeyRange
  readonly layout: Buffer
  readonly #recordPrefix: string

  constructor(cluster: string) {
    this.prefix = `/haven/${cluster}/`
    this.#recordPrefix = `${this.prefix}records/`
    this.whole = rangeOf(this.prefix)
    this.records = rangeOf(this.#recordPrefix)
    this.lanes = rangeOf(`${this.prefix}writers/`)
    this.layout = Buffer.from(`${this.prefix}layout`)
  }

  ofRecord(key: RecordKey): Buffer {
    return Buffer.from(this.#recordPrefix + key)
  }

  ofLane(writer: string, lane: number): Buffer {
    return Buffer.from(`${this.prefix}writers/${writer}/${lane}`)
  }

  /** Whether a key of this cluster is one that this version writes. */
  isKnown(key: Buffer): boolean {
    return key.equals(this.layout) || [this.records, this.lanes].some((range) => key.indexOf(range.key) === 0)
  }

  /** The key of the record that is kept there; undefined for everything that is no record. */
  recordOf(key: Buffer): RecordKey | undefined {
    const text = key.toString()
    return text.startsWith(this.#recordPrefix) ? text.slice(this.#recordPrefix.length) : undefined
  }
}

function rangeOf(prefix: string): KeyRange {
  // The prefixes end with a slash, and the character after the slash is a zero.
  return { key: Buffer.from(prefix), range_end: Buffer.from(`${prefix.slice(0, -1)}0`) }
}
