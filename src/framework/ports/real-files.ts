import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { tryLock, unlock } from 'fs-native-extensions'
import type { Files, OpenMode } from './files.ts'

const syncFile = promisify(fdatasync)

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  'read-write': constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
  'create-new': constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  directory: constants.O_RDONLY | constants.O_DIRECTORY,
}

/** The database holds no secret but who may run what as root: others may read nothing of it. */
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

/** Reaches the files of this machine. The names of the operations are of no use here: they are there for tests. */
export const realFiles: Files = {
  open: (_op, path, mode) => openSync(path, FLAGS[mode], FILE_MODE),
  close: (_op, file) => closeSync(file),
  read: (_op, file, into, position) => readSync(file, into, 0, into.length, position),
  write: (_op, file, bytes, position) => {
    // A full disk shows as a short write first; the next one throws.
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, position + done)
  },
  sizeBytes: (_op, file) => fstatSync(file).size,
  truncate: (_op, file, sizeBytes) => ftruncateSync(file, sizeBytes),
  sync: (_op, file) => syncFile(file),
  syncNow: (_op, file) => fdatasyncSync(file),
  rename: (_op, from, to) => renameSync(from, to),
  remove: (_op, path) => rmSync(path, { force: true }),
  list: (_op, directory) => readdirSync(directory),
  makeDirectory: (_op, path) => void mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE }),
  isStill: (_op, path, file) => {
    const now = statSync(path, { throwIfNoEntry: false })
    const then = fstatSync(file)
    return now !== undefined && now.ino === then.ino && now.dev === then.dev
  },
  tryLock: (_op, file) => tryLock(file),
  unlock: (_op, file) => unlock(file),
  watch: (_op, directory, onHint) => {
    const watcher = watch(directory, { persistent: false }, onHint)
    // An error here (the directory was removed) only ends the hints; the slow look finds out what is wrong.
    watcher.on('error', () => watcher.close())
    return watcher
  },
}
