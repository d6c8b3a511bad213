import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describeError, HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import type { ClusterName, PhysicalHostName } from '../model/names.ts'
import type { Effects } from '../ports/effects.ts'
import type { Log } from '../ports/log.ts'
import { type CertificateFacts, readCertificate } from '../security/certificate.ts'
import { certify } from '../security/certify.ts'
import { readIdentity, writeHostCertificate } from '../security/identity-files.ts'
import { isRenewalDue } from '../security/validity.ts'
import type { AdmissionBook } from './admission/book.ts'
import { forgetTokens } from './admission/judge-token.ts'
import type { ApiPlace } from './host-file.ts'

/** Certificates live for months: an hour sooner or later is nothing, and costs nothing. */
const LOOK_EVERY_MS = 3_600_000
/** Something was wrong the last time: a disk that was full, a database that was away. */
const LOOK_AGAIN_MS = 60_000

/** What certificates are renewed with. */
export interface RenewalParts {
  readonly root: string
  readonly cluster: ClusterName
  readonly host: PhysicalHostName
  readonly effects: Effects
  readonly log: Log
}

/**
 * Renews the certificate of this host when a third of its time is left or its time is over, or when it is not for all of the addresses. The host has the
 * key of the authority, so it asks nobody: also after a year in which it was off. Whether it still belongs to the cluster is said by the records and not
 * by its certificate. A host without that key, or without anything, is left as it is. Returns whether there is another one now.
 */
export async function renewOwnCertificate(parts: RenewalParts, addresses: readonly string[]): Promise<boolean> {
  const { root, cluster, host: name, effects, log } = parts
  const identity = readIdentity(root)
  if (identity?.caKey === undefined) return false
  const present = readCertificate(identity.hostCertificate)
  const nowWallMs = effects.nowWallMs()
  const isDue = isRenewalDue(present, nowWallMs)
  if (!isDue && addresses.every((address) => present.addresses.includes(address))) return false
  // What it was for before stays: an address may be away for a moment only.
  const all = [...new Set([...addresses, ...present.addresses])].slice(0, ADDRESSES_MAX)
  const publicKey = createPublicKey(createPrivateKey(identity.hostKey))
  const { caCertificate, caKey } = identity
  const one = { cluster, name, role: 'host', addresses: all, nowWallMs } as const
  const made = await certify({ caCertificate, caKey }, one, publicKey)
  writeHostCertificate(root, made)
  const until = describeDay(readCertificate(made))
  const why = isDue ? `the last one was valid until ${describeDay(present)}` : 'this host has other addresses'
  log.write({ level: 'info', message: `renewed the certificate of this host: valid until ${until}; ${why}` })
  return true
}

/** Renews the certificate of this host before it is needed. Where that fails, it is told, and tried again by the keeper. */
export async function renewBeforeStart(parts: RenewalParts): Promise<void> {
  try {
    await renewOwnCertificate(parts, [])
  } catch (error) {
    tellExpected(parts, error)
  }
}

/** Names that one certificate is for, at most. */
const ADDRESSES_MAX = 64

function describeDay({ validUntilWallMs }: CertificateFacts): string {
  return new Date(validUntilWallMs).toISOString().slice(0, 10)
}

/** What the keeper keeps. */
export interface KeeperParts extends RenewalParts {
  readonly book: AdmissionBook
  readonly place: ApiPlace | undefined
  /** Called when there is another certificate. */
  readonly onRenewed: () => void
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
    if (await renewOwnCertificate(parts, ownAddresses(parts))) parts.onRenewed()
    await record(parts)
    return true
  } catch (error) {
    tellExpected(parts, error)
    return false
  }
}

/** A full disk is no bug either, and comes as an error of Node.js. */
function tellExpected({ log }: RenewalParts, error: unknown): void {
  const isExpected = error instanceof HaError || (error instanceof Error && 'syscall' in error)
  if (!isExpected) throw error
  const message = `the certificate of this host could not be looked after: ${describeError(error)}`
  log.write({ level: 'warn', message })
}

function ownAddresses({ book, host, place }: KeeperParts): readonly string[] {
  const interfaces =
    book
      .seen()
      .state.physicalHosts.get(host)
      ?.interfaces.map(({ address }) => address) ?? []
  return [...new Set([...(place?.addresses ?? []), ...interfaces])]
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
