import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { MethodCall } from '../framework/ports/method-runner.ts'
import { methodArguments } from './method-environment.ts'
import { outputTail } from './output-tail.ts'

/** Logs kept of each method of each service: all logical hosts of a large host twice, small files. */
export const LOGS_KEPT_MAX = 100
/** A longer log is cut when its run has ended, so that a method that prints without end fills no disk for good. */
export const LOG_BYTES_KEPT_MAX = 1024 * 1024
/** Read back for the tail: the last ten lines, unless they are very long. */
const TAIL_BYTES_MAX = 64 * 1024
/** Runs that may begin within one millisecond for the same method, reconfiguration and logical host. */
const SAME_NAME_MAX = 100

/** The log of one run. */
export interface MethodLog {
  /** Where the method writes to: stdout and stderr. Opened for appending, so that nobody writes over what another has written. */
  readonly fd: number
  /** Notes how the run ended, cuts a log that is too long, and returns the last lines of the method's output. Never throws. */
  finish(how: string): Promise<readonly string[]>
  close(): Promise<void>
}

/**
 * Begins the log of a run: `<root>/var/log/haven/methods/<service>/<METHOD>.<reconfiguration>.<time>.<logical host>.log`, so that all runs of one reconfiguration
 * stand together. Throws what the file system says when it cannot be made.
 */
export async function openMethodLog(root: string, call: MethodCall, startedWallMs: number): Promise<MethodLog> {
  const directory = logDirectory(root, call)
  const name = logName(call, startedWallMs)
  const file = await openNew(directory, name).catch(async () => {
    await mkdir(directory, { recursive: true, mode: 0o750 })
    return openNew(directory, name)
  })
  try {
    const header = Buffer.from(headerOf(call, startedWallMs))
    await file.write(header)
    return logIn(file, header)
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Makes the log of a run whose log could not be made (full disk, read-only root): a STOP must be able to run all the same. */
export async function openNoLog(why: string): Promise<MethodLog> {
  const file = await open('/dev/null', 'a')
  return {
    fd: file.fd,
    finish: async () => [`(what it printed is lost: ${why})`],
    close: () => file.close(),
  }
}

/** Deletes the oldest logs of the method beyond `LOGS_KEPT_MAX`. Never throws: a log too many does no harm. */
export async function pruneMethodLogs(root: string, call: MethodCall): Promise<void> {
  const directory = logDirectory(root, call)
  try {
    const names = (await readdir(directory)).filter((name) => name.startsWith(`${call.method}.`))
    for (const name of names.sort().slice(0, -LOGS_KEPT_MAX)) await unlink(join(directory, name))
  } catch {
    // Somebody else tidies up at the same time, or the directory is not there.
  }
}

function logDirectory(root: string, call: MethodCall): string {
  return join(root, 'var/log/haven/methods', call.service)
}

function logName(call: MethodCall, startedWallMs: number): string {
  // Padded, so that the order of the names is that of time.
  const reconfiguration = String(call.reconfiguration).padStart(8, '0')
  const time = new Date(startedWallMs).toISOString().replace(/[-:.]/g, '')
  return `${call.method}.${reconfiguration}.${time}.${call.logicalHost}`
}

async function openNew(directory: string, name: string): Promise<FileHandle> {
  for (let turn = 1; ; turn += 1) {
    try {
      return await open(join(directory, turn === 1 ? `${name}.log` : `${name}.${turn}.log`), 'ax+', 0o640)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || turn === SAME_NAME_MAX) throw error
    }
  }
}

function headerOf(call: MethodCall, startedWallMs: number): string {
  const when = new Date(startedWallMs).toISOString()
  const words = methodArguments(call).map((word) => `'${word}'`)
  return (
    `# ${when} ${call.method} of data service ${call.service} on logical host ${call.logicalHost}, ` +
    `reconfiguration ${call.reconfiguration}, generation ${call.generation}\n# ${call.program} ${words.join(' ')}\n`
  )
}

function logIn(file: FileHandle, header: Buffer): MethodLog {
  return {
    fd: file.fd,
    close: () => file.close(),
    finish: async (how) => {
      try {
        const { size } = await file.stat()
        const from = Math.max(header.length, size - TAIL_BYTES_MAX)
        const tail = outputTail(await readFrom(file, from, size - from), from > header.length)
        if (size > LOG_BYTES_KEPT_MAX) await cut(file, header, size)
        await file.write(`# ended: ${how}\n`)
        return tail
      } catch (error) {
        return [`(what it printed cannot be read: ${(error as Error).message})`]
      }
    },
  }
}

/** Keeps the beginning and the last part. What a daemon of this run prints in that moment may be lost. */
async function cut(file: FileHandle, header: Buffer, size: number): Promise<void> {
  const kept = await readFrom(file, size - LOG_BYTES_KEPT_MAX, LOG_BYTES_KEPT_MAX)
  await file.truncate(header.length)
  await file.write(`# ${size - header.length - kept.length} bytes were left out here\n`)
  await file.write(kept)
}

async function readFrom(file: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(Math.max(0, length))
  let done = 0
  while (done < buffer.length) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, from + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return buffer.subarray(0, done)
}
