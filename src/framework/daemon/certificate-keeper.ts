import { sleepUntilAborted } from '../execute/run-within.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { Effects } from '../ports/effects.ts'
import type { Log } from '../ports/log.ts'
import { readCertificate } from '../security/certificate.ts'
import { readIdentity } from '../security/identity-files.ts'
import { renewOwnCertificate, tellExpected } from '../security/renew.ts'
import type { AdmissionBook } from './admission/book.ts'
import { forgetTokens } from './admission/judge-token.ts'
import type { ApiPlace } from './host-file.ts'

/** Certificates live for months: an hour sooner or later is nothing, and costs nothing. */
const LOOK_EVERY_MS = 3_600_000
/** Something was wrong the last time: a disk that was full, a database that was away. */
const LOOK_AGAIN_MS = 60_000

/** Renews the certificate of this host before it is needed. Where that fails, it is told, and tried again by the keeper. */
export async function renewBeforeStart(root: string, effects: Effects, log: Log): Promise<void> {
  const parts = { root, effects, tell: tellerOf(log) }
  try {
    await renewOwnCertificate(parts)
  } catch (error) {
    tellExpected(parts, error)
  }
}

function tellerOf(log: Log): (message: string) => void {
  return (message) => log.write({ level: 'info', message })
}

/** What the keeper keeps. */
export interface KeeperParts {
  readonly root: string
  readonly host: PhysicalHostName
  readonly effects: Effects
  readonly log: Log
  readonly book: AdmissionBook
  readonly place: () => ApiPlace | undefined
  /** Called after each look: there may be another certificate. */
  readonly onLooked: () => void
}

/** Keeps the certificate of this host good, shows all hosts until when it is valid, and forgets old tokens; until the signal aborts. */
export async function keepCertificate(parts: KeeperParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isWell = await look(parts)
    await sleepUntilAborted(parts.effects, isWell ? LOOK_EVERY_MS : LOOK_AGAIN_MS, signal)
  }
}

async function look(parts: KeeperParts): Promise<boolean> {
  try {
    await renewOwnCertificate(
      { root: parts.root, effects: parts.effects, tell: tellerOf(parts.log) },
      ownAddresses(parts),
    )
    parts.onLooked()
    await record(parts)
    return true
  } catch (error) {
    tellExpected({ tell: (message) => parts.log.write({ level: 'warn', message }) }, error)
    return false
  }
}

function ownAddresses({ book, host, place }: KeeperParts): readonly string[] {
  const interfaces =
    book
      .seen()
      .state.physicalHosts.get(host)
      ?.interfaces.map(({ address }) => address) ?? []
  return [...new Set([...(place()?.addresses ?? []), ...interfaces])]
}

async function record({ book, root, host, effects }: KeeperParts): Promise<void> {
  const identity = readIdentity(root)
  if (identity === undefined) return
  const { validUntilWallMs, keyFingerprint } = readCertificate(identity.hostCertificate)
  await book.change((seen) => {
    const own = seen.admissions.get(host)
    const isOwn = own !== undefined && own.evicted === null && own.keyFingerprint === keyFingerprint
    const isNews = isOwn && own.validUntilWallMs !== validUntilWallMs
    const news = isNews ? [{ kind: 'put-admission', admission: { ...own, validUntilWallMs } } as const] : []
    return { changes: [...news, ...forgetTokens(seen, effects.nowWallMs())], members: [] }
  })
}
