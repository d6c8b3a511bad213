import assert from 'node:assert/strict'
import type { Files, OpenFile } from '../../../src/framework/ports/files.ts'

/** Thrown by every file call of a process that was killed. */
export class Killed extends Error {}

/** Makes an error as the operating system makes it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by the test`), { code })
}

/** One change that is in the memory of the machine and not on its disk yet. */
type Pending =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly sizeBytes: number }

interface Inode {
  content: Buffer
  onDisk: Buffer
  pending: Pending[]
  lockedBy: object | undefined
}

interface Handle {
  /** `elsewhere`: a directory that is of no interest. */
  readonly inode: Inode | 'directory' | 'elsewhere'
  readonly process: object
}

/** What a test does to one file call: lets it be, makes it fail, or kills the process there; a write is then half done. */
export type Interference = (op: string, count: number) => 'go on' | 'kill' | { readonly fail: string }

/**
 * A disk in memory with one directory, `/db`, for any number of processes: with what they see, and what would be left after a loss of power. As little as POSIX promises
 * is kept: of what was not synced, each single write and each change of a name survives or not, in any combination, a write also in part.
 */
export class ModelDisk {
  #names = new Map<string, Inode>()
  #namesOnDisk = new Map<string, Inode>()
  #pendingNames: (readonly (readonly [name: string, inode: Inode | undefined])[])[] = []
  readonly #handles = new Map<OpenFile, Handle>()
  #lastHandle = 100
  #hasDirectory = false
  /** How long a sync that does not block takes; a test may let it take until something else happened. */
  whileSyncing: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve))

  /** Names of all files, for tests that look. */
  get names(): readonly string[] {
    return [...this.#names.keys()]
  }

  /** The content of a file. */
  contentOf(path: string): Buffer {
    const inode = this.#names.get(path)
    assert.ok(inode !== undefined, `no file ${path}`)
    return inode.content
  }

  /** Replaces the content of a file, as damage does: on the disk too. `undefined` removes it. */
  damage(path: string, content: Buffer | undefined): void {
    if (content === undefined) this.#changeNames([[path, undefined]])
    else this.#changeNames([[path, { content, onDisk: content, pending: [], lockedBy: undefined }]])
  }

  /** Changes the content of a file under the eyes of those that have it open. */
  overwrite(path: string, content: Buffer): void {
    const inode = this.#names.get(path)
    assert.ok(inode !== undefined, `no file ${path}`)
    Object.assign(inode, { content, onDisk: content, pending: [] })
  }

  /** Makes the file calls of one process. */
  startProcess(interfere: Interference = () => 'go on'): Files {
    const process = { count: 0, isDead: false }
    return this.#files(process, (op) => {
      if (process.isDead) throw new Killed(op)
      process.count += 1
      const verdict = interfere(op, process.count)
      if (verdict === 'go on') return
      if (verdict !== 'kill') throw systemError(verdict.fail)
      process.isDead = true
      this.#closeAll(process)
      throw new Killed(op)
    })
  }

  /** Takes the power away: all processes are gone, and of what was not synced what `random` leaves. */
  losePower(random: () => number): void {
    this.#handles.clear()
    for (const changes of this.#pendingNames) {
      if (random() < 0.5) for (const [name, inode] of changes) setName(this.#namesOnDisk, name, inode)
    }
    this.#names = new Map(this.#namesOnDisk)
    this.#pendingNames = []
    for (const inode of new Set(this.#names.values())) {
      for (const pending of inode.pending)
        if (random() < 0.5) inode.onDisk = apply(inode.onDisk, partOf(pending, random))
      Object.assign(inode, { content: inode.onDisk, pending: [], lockedBy: undefined })
    }
  }

  #files(process: object, stepOrDie: (op: string) => void): Files {
    const inodeOf = (file: OpenFile): Inode => {
      const handle = this.#handles.get(file)
      assert.ok(handle !== undefined && typeof handle.inode !== 'string', `no open file ${file}`)
      return handle.inode
    }
    /** Begins a sync: what is there now will be on the disk when the function that is returned is called, and not what comes meanwhile. */
    const beginSync = (file: OpenFile): (() => void) => {
      const directory = this.#handles.get(file)?.inode
      if (directory === 'elsewhere') return () => undefined
      if (directory === 'directory') {
        const names = new Map(this.#names)
        const count = this.#pendingNames.length
        return () => {
          this.#namesOnDisk = names
          this.#pendingNames.splice(0, count)
        }
      }
      const inode = inodeOf(file)
      const synced = [...inode.pending]
      const { content } = inode
      return () =>
        Object.assign(inode, { onDisk: content, pending: inode.pending.filter((pending) => !synced.includes(pending)) })
    }
    const change = (inode: Inode, pending: Pending): void => {
      inode.content = apply(inode.content, pending)
      inode.pending.push(pending)
    }
    return {
      open: (op, path, mode) => {
        stepOrDie(op)
        return this.#open(path, mode, process)
      },
      close: (op, file) => {
        stepOrDie(op)
        this.#close(file)
      },
      read: (op, file, into, position) => {
        stepOrDie(op)
        const { content } = inodeOf(file)
        return position >= content.length ? 0 : content.copy(into, 0, position)
      },
      write: (op, file, bytes, position) => {
        if (isDead(process)) throw new Killed(op)
        const inode = inodeOf(file) // Found before the step, which may close it.
        const write = (sizeBytes: number): void =>
          change(inode, { kind: 'write', position, bytes: Buffer.from(bytes.subarray(0, sizeBytes)) })
        try {
          stepOrDie(op)
        } catch (error) {
          write(Math.floor(bytes.length / 2))
          throw error
        }
        write(bytes.length)
      },
      sizeBytes: (op, file) => {
        stepOrDie(op)
        return inodeOf(file).content.length
      },
      truncate: (op, file, sizeBytes) => {
        stepOrDie(op)
        change(inodeOf(file), { kind: 'truncate', sizeBytes })
      },
      sync: async (op, file) => {
        stepOrDie(op)
        const end = beginSync(file)
        await this.whileSyncing()
        if (isDead(process)) throw new Killed(op)
        end()
      },
      syncNow: (op, file) => {
        stepOrDie(op)
        beginSync(file)()
      },
      rename: (op, from, to) => {
        stepOrDie(op)
        const inode = this.#names.get(from)
        if (inode === undefined) throw systemError('ENOENT')
        this.#changeNames([
          [from, undefined],
          [to, inode],
        ])
      },
      remove: (op, path) => {
        stepOrDie(op)
        if (this.#names.has(path)) this.#changeNames([[path, undefined]])
      },
      list: (op, directory) => {
        stepOrDie(op)
        if (!this.#hasDirectory) throw systemError('ENOENT')
        return this.names.map((name) => name.slice(directory.length + 1))
      },
      makeDirectory: (op) => {
        stepOrDie(op)
        this.#hasDirectory = true
      },
      isStill: (op, path, file) => {
        stepOrDie(op)
        return this.#names.get(path) === inodeOf(file)
      },
      tryLock: (op, file) => {
        stepOrDie(op)
        const inode = inodeOf(file)
        inode.lockedBy ??= process
        return inode.lockedBy === process
      },
      unlock: (op, file) => {
        stepOrDie(op)
        inodeOf(file).lockedBy = undefined
      },
      watch: (op) => {
        stepOrDie(op)
        return { close: () => undefined }
      },
    }
  }

  #open(path: string, mode: Parameters<Files['open']>[2], process: object): OpenFile {
    let inode: Handle['inode'] | undefined = this.#names.get(path)
    if (mode === 'directory') inode = path === '/db' ? 'directory' : 'elsewhere'
    if (inode === undefined && (mode === 'create' || mode === 'create-new')) {
      inode = { content: Buffer.alloc(0), onDisk: Buffer.alloc(0), pending: [], lockedBy: undefined }
      this.#changeNames([[path, inode]])
    } else if (mode === 'create-new') throw systemError('EEXIST')
    if (inode === undefined) throw systemError('ENOENT')
    this.#lastHandle += 1
    this.#handles.set(this.#lastHandle, { inode, process })
    return this.#lastHandle
  }

  #changeNames(changes: readonly (readonly [string, Inode | undefined])[]): void {
    for (const [name, inode] of changes) setName(this.#names, name, inode)
    this.#pendingNames.push(changes)
  }

  #close(file: OpenFile): void {
    const handle = this.#handles.get(file)
    assert.ok(handle !== undefined, `file ${file} is closed twice`)
    if (typeof handle.inode !== 'string' && handle.inode.lockedBy === handle.process) handle.inode.lockedBy = undefined
    this.#handles.delete(file)
  }

  #closeAll(process: object): void {
    for (const [file, handle] of this.#handles) if (handle.process === process) this.#close(file)
  }
}

function isDead(process: object): boolean {
  return 'isDead' in process && process.isDead === true
}

function setName(names: Map<string, Inode>, name: string, inode: Inode | undefined): void {
  if (inode === undefined) names.delete(name)
  else names.set(name, inode)
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
