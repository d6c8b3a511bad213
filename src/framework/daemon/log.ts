import { once } from 'node:events'
import { join } from 'node:path'
import winston from 'winston'
import type { MessageJson } from '../api/wire.ts'
import type { Effects } from '../ports/effects.ts'
import type { Log, LogEvent } from '../ports/log.ts'

/** Size of one log file and how many are kept: about a month of a busy cluster, and never more than 50 MB. */
const LOG_SIZE_BYTES_MAX = 10 * 1024 * 1024
const LOG_FILES_MAX = 5
/** Lines kept in memory for `hastat`. */
const RECENT_MAX = 1_000

/** A log with an end, and a memory of its last lines. */
export interface DaemonLog extends Log {
  /** The last lines of level info and above, oldest first, at most `max`; none for 0. */
  recent(max: number): readonly MessageJson[]
  /** Writes out what is waiting. */
  close(): Promise<void>
}

/** What a log is made with. */
export interface DaemonLogOptions {
  readonly effects: Effects
  readonly root: string
  readonly physicalHost: string
  /** Whether lines for people go to stdout as well. */
  readonly toTerminal: boolean
}

/** Makes the log of clustd: JSON lines in `var/log/haven/clustd.log`, and lines for people on the terminal. */
export function createDaemonLog({ effects, root, physicalHost, toTerminal }: DaemonLogOptions): DaemonLog {
  const logger = winston.createLogger({
    level: 'debug',
    transports: [
      new winston.transports.File({
        level: 'info',
        filename: join(root, 'var/log/haven/clustd.log'),
        maxsize: LOG_SIZE_BYTES_MAX,
        maxFiles: LOG_FILES_MAX,
        tailable: true,
        options: { flags: 'a', mode: 0o600 },
        format: winston.format.json(),
      }),
      ...(toTerminal ? [new winston.transports.Console({ level: 'info', format: winston.format.printf(lineOf) })] : []),
    ],
  })
  // A full disk must not end the daemon; the terminal and the memory still have the line.
  logger.on('error', () => undefined)
  for (const transport of logger.transports) transport.on('error', () => undefined)
  const recent: MessageJson[] = []
  return {
    write: (event) => {
      const atWallMs = effects.nowWallMs()
      remember(recent, event, atWallMs)
      const { level, message, facts, ...rest } = event
      const at = new Date(atWallMs).toISOString()
      logger.log({ level, at, host: physicalHost, message, ...rest, ...(facts === undefined ? {} : { facts }) })
    },
    // A slice from -0 would be all of them.
    recent: (max) => (max > 0 ? recent.slice(-max) : []),
    close: async () => {
      const finished = once(logger, 'finish')
      logger.end()
      await finished
    },
  }
}

function remember(recent: MessageJson[], { level, message, reconfiguration }: LogEvent, atWallMs: number): void {
  if (level === 'debug') return
  recent.push({ atWallMs, level, text: message, reconfiguration: reconfiguration ?? null })
  // Cut in blocks, because taking the first of a long array away moves all others.
  if (recent.length >= 2 * RECENT_MAX) recent.splice(0, RECENT_MAX)
}

/** `12:03:04.567 alpha warn [17] give-up of ha1 failed`. */
function lineOf(info: winston.Logform.TransformableInfo): string {
  const number = info['reconfiguration'] === undefined ? '' : `[${String(info['reconfiguration'])}] `
  const time = String(info['at']).slice(11, 23)
  const level = info.level === 'info' ? '' : `${info.level}: `
  const failed = (info['facts'] as { readonly failed?: readonly string[] } | undefined)?.failed ?? []
  return `${time} ${String(info['host'])} ${number}${level}${String(info.message)}${failed.length === 0 ? '' : `: ${failed.join('; ')}`}`
}
