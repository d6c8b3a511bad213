/** One change that is in the memory of the machine and not on its disk yet. */
export type Pending =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly sizeBytes: number }

/** A file: as processes see it, and as the disk has it. */
export class Inode {
  content: Buffer
  lockedBy: object | undefined
  #onDisk: Buffer
  #pending: readonly Pending[] = []

  constructor(content = Buffer.alloc(0)) {
    this.content = content
    this.#onDisk = content
  }

  change(pending: Pending): void {
    this.content = apply(this.content, pending)
    this.#pending = [...this.#pending, pending]
  }

  /** Replaces the content, on the disk too. */
  overwrite(content: Buffer): void {
    this.content = content
    this.#onDisk = content
    this.#pending = []
  }

  /** Begins a sync: what is there now will be on the disk when the function that is returned is called, and not what comes meanwhile. */
  beginSync(): () => void {
    const synced = this.#pending
    const { content } = this
    return () => {
      this.#onDisk = content
      this.#pending = this.#pending.filter((pending) => !synced.includes(pending))
    }
  }

  /** Loses what was not synced, each change for itself, whole or in part. */
  losePower(random: () => number): void {
    for (const pending of this.#pending) if (random() < 0.5) this.#onDisk = apply(this.#onDisk, partOf(pending, random))
    this.overwrite(this.#onDisk)
    this.lockedBy = undefined
  }
}

function apply(content: Buffer, pending: Pending): Buffer {
  const sizeBytes =
    pending.kind === 'truncate' ? pending.sizeBytes : Math.max(content.length, pending.position + pending.bytes.length)
  const next = Buffer.alloc(sizeBytes)
  content.copy(next)
  if (pending.kind === 'write') pending.bytes.copy(next, pending.position)
  return next
}

/** Most writes survive whole or not at all; some in part, front or back. */
function partOf(pending: Pending, random: () => number): Pending {
  if (pending.kind === 'truncate' || random() < 0.5) return pending
  const cut = Math.floor(random() * pending.bytes.length)
  if (random() < 0.5) return { ...pending, bytes: pending.bytes.subarray(0, cut) }
  return { ...pending, position: pending.position + cut, bytes: pending.bytes.subarray(cut) }
}
