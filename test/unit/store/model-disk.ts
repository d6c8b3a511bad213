import assert from 'node:assert/strict'
import type { Files, OpenFile, OpenMode } from '../../../src/framework/ports/files.ts'
import { Inode } from './model-inode.ts'

/** Thrown by every file call of a process that was killed. */
export class Killed extends Error {}

/** What a test does to one file call: lets it be, makes it fail, or kills the process there; a write is then half done. */
export type Interference = (op: string, count: number) => 'go on' | 'kill' | { readonly fail: string }

/** Names that change at once: a rename changes two. */
type NameChange = readonly (readonly [name: string, inode: Inode | undefined])[]

/**
 * A disk in memory with one directory, `/db`, for any number of processes: with what they see, and what would be left after a loss of power. As little as POSIX promises
 * is kept: of what was not synced, each single write and each change of a name survives or not, in any combination, a write also in part.
 */
export class ModelDisk {
  hasDirectory = false
  powerLosses = 0
  #names = new Map<string, Inode>()
  #namesOnDisk = new Map<string, Inode>()
  #pendingNames: readonly NameChange[] = []
  /** How long a sync that does not block takes; a test may let it take until something else happened. */
  whileSyncing: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve))

  /** Paths of all files. */
  get names(): readonly string[] {
    return [...this.#names.keys()]
  }

  /** Makes the file calls of one process. */
  startProcess(interfere: Interference = () => 'go on'): Files {
    return new ModelProcess(this, interfere)
  }

  /** Takes the power away: all processes are gone, and of what was not synced there remains what `random` leaves. */
  losePower(random: () => number): void {
    this.powerLosses += 1
    for (const change of this.#pendingNames) if (random() < 0.5) applyNames(this.#namesOnDisk, change)
    this.#names = new Map(this.#namesOnDisk)
    this.#pendingNames = []
    for (const inode of new Set(this.#names.values())) inode.losePower(random)
  }

  /** The content of a file. */
  contentOf(path: string): Buffer {
    return this.#inodeOf(path).content
  }

  /** Puts another file in the place of one, as damage does; `undefined` removes it. */
  damage(path: string, content: Uint8Array | undefined): void {
    this.changeNames([[path, content === undefined ? undefined : new Inode(Buffer.from(content))]])
  }

  /** Changes the content of a file under the eyes of those that have it open. */
  overwrite(path: string, content: Buffer): void {
    this.#inodeOf(path).overwrite(content)
  }

  find(path: string): Inode | undefined {
    return this.#names.get(path)
  }

  changeNames(change: NameChange): void {
    applyNames(this.#names, change)
    this.#pendingNames = [...this.#pendingNames, change]
  }

  /** Begins a sync of the directory, see `Inode.beginSync`. */
  beginSync(): () => void {
    const names = new Map(this.#names)
    const synced = this.#pendingNames
    return () => {
      this.#namesOnDisk = names
      this.#pendingNames = this.#pendingNames.filter((change) => !synced.includes(change))
    }
  }

  #inodeOf(path: string): Inode {
    const inode = this.#names.get(path)
    assert.ok(inode !== undefined, `no file ${path}`)
    return inode
  }
}

/** One process: its open files, until it is killed. */
class ModelProcess implements Files {
  readonly #disk: ModelDisk
  readonly #interfere: Interference
  /** `elsewhere`: a directory that is of no interest. */
  readonly #open = new Map<OpenFile, Inode | 'directory' | 'elsewhere'>()
  #count = 0
  #lastFile = 0
  #isKilled = false
  readonly #startedAfterLosses: number

  constructor(disk: ModelDisk, interfere: Interference) {
    this.#disk = disk
    this.#interfere = interfere
    this.#startedAfterLosses = disk.powerLosses
  }

  open(op: string, path: string, mode: OpenMode): OpenFile {
    this.#step(op)
    this.#lastFile += 1
    if (mode === 'directory') this.#open.set(this.#lastFile, path === '/db' ? 'directory' : 'elsewhere')
    else this.#open.set(this.#lastFile, this.#openFile(path, mode))
    return this.#lastFile
  }

  close(op: string, file: OpenFile): void {
    this.#step(op)
    assert.ok(this.#open.has(file), `file ${file} is closed twice`)
    this.#close(file)
  }

  read(op: string, file: OpenFile, into: Uint8Array, position: number): number {
    this.#step(op)
    const { content } = this.#inodeOf(file)
    return position >= content.length ? 0 : content.copy(into, 0, position)
  }

  write(op: string, file: OpenFile, bytes: Uint8Array, position: number): void {
    if (this.#isDead) throw new Killed(op)
    const inode = this.#inodeOf(file) // Found before the step, which may close it.
    const write = (part: Uint8Array): void => inode.change({ kind: 'write', position, bytes: Buffer.from(part) })
    try {
      this.#step(op)
    } catch (error) {
      write(bytes.subarray(0, bytes.length / 2))
      throw error
    }
    write(bytes)
  }

  sizeBytes(op: string, file: OpenFile): number {
    this.#step(op)
    return this.#inodeOf(file).content.length
  }

  truncate(op: string, file: OpenFile, sizeBytes: number): void {
    this.#step(op)
    this.#inodeOf(file).change({ kind: 'truncate', sizeBytes })
  }

  async sync(op: string, file: OpenFile): Promise<void> {
    this.#step(op)
    const end = this.#beginSync(file)
    await this.#disk.whileSyncing()
    if (this.#isDead) throw new Killed(op)
    end()
  }

  syncNow(op: string, file: OpenFile): void {
    this.#step(op)
    this.#beginSync(file)()
  }

  rename(op: string, from: string, to: string): void {
    this.#step(op)
    const inode = this.#disk.find(from)
    if (inode === undefined) throw systemError('ENOENT')
    this.#disk.changeNames([
      [from, undefined],
      [to, inode],
    ])
  }

  remove(op: string, path: string): void {
    this.#step(op)
    if (this.#disk.find(path) !== undefined) this.#disk.changeNames([[path, undefined]])
  }

  list(op: string, directory: string): readonly string[] {
    this.#step(op)
    if (!this.#disk.hasDirectory) throw systemError('ENOENT')
    return this.#disk.names.map((name) => name.slice(directory.length + 1))
  }

  makeDirectory(op: string): void {
    this.#step(op)
    this.#disk.hasDirectory = true
  }

  isStill(op: string, path: string, file: OpenFile): boolean {
    this.#step(op)
    return this.#disk.find(path) === this.#inodeOf(file)
  }

  tryLock(op: string, file: OpenFile): boolean {
    this.#step(op)
    const inode = this.#inodeOf(file)
    inode.lockedBy ??= this
    return inode.lockedBy === this
  }

  unlock(op: string, file: OpenFile): void {
    this.#step(op)
    this.#inodeOf(file).lockedBy = undefined
  }

  watch(op: string): { close(): void } {
    this.#step(op)
    return { close: () => undefined }
  }

  get #isDead(): boolean {
    return this.#isKilled || this.#disk.powerLosses > this.#startedAfterLosses
  }

  #step(op: string): void {
    if (this.#isDead) throw new Killed(op)
    this.#count += 1
    const verdict = this.#interfere(op, this.#count)
    if (verdict === 'go on') return
    if (verdict !== 'kill') throw systemError(verdict.fail)
    this.#isKilled = true
    for (const file of this.#open.keys()) this.#close(file)
    throw new Killed(op)
  }

  #close(file: OpenFile): void {
    const inode = this.#open.get(file)
    if (inode instanceof Inode && inode.lockedBy === this) inode.lockedBy = undefined
    this.#open.delete(file)
  }

  #openFile(path: string, mode: OpenMode): Inode {
    const there = this.#disk.find(path)
    if (there !== undefined && mode === 'create-new') throw systemError('EEXIST')
    if (there !== undefined) return there
    if (mode === 'read' || mode === 'read-write') throw systemError('ENOENT')
    const inode = new Inode()
    this.#disk.changeNames([[path, inode]])
    return inode
  }

  #inodeOf(file: OpenFile): Inode {
    const inode = this.#open.get(file)
    assert.ok(inode instanceof Inode, `no open file ${file}`)
    return inode
  }

  #beginSync(file: OpenFile): () => void {
    const what = this.#open.get(file)
    if (what === 'elsewhere') return () => undefined
    return what === 'directory' ? this.#disk.beginSync() : this.#inodeOf(file).beginSync()
  }
}

/** Makes an error as the operating system makes it. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by the test`), { code })
}

function applyNames(names: Map<string, Inode>, change: NameChange): void {
  for (const [name, inode] of change) {
    if (inode === undefined) names.delete(name)
    else names.set(name, inode)
  }
}
