import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { HaError } from '../errors/ha-error.ts'
import { makePrivateKey } from './keys.ts'
import { CLUSTER_KEY_BYTES, type SecurityPaths, securityPaths } from './paths.ts'

/** What a host proves itself with; texts are PEM. */
export interface Identity {
  readonly caCertificate: string
  readonly hostCertificate: string
  readonly hostKey: string
  /** Undefined on a witness. */
  readonly caKey: string | undefined
  /** Undefined on a witness. */
  readonly clusterKey: Buffer | undefined
}

/** Which file holds what. */
const FILES = {
  caCertificate: 'ca.crt',
  caKey: 'ca.key',
  hostCertificate: 'host.crt',
  hostKey: 'host.key',
  clusterKey: 'cluster.key',
} as const satisfies Record<keyof Identity, string>

/** Reads what the host below `root` proves itself with; undefined when it has nothing yet. Throws `CONFIG_INVALID` when some of it is missing. */
export function readIdentity(root: string): Identity | undefined {
  const paths = securityPaths(root)
  const hostKey = readIfThere(paths.hostKey)
  const hostCertificate = readIfThere(paths.hostCertificate)
  const caCertificate = readIfThere(paths.caCertificate)
  if (hostKey === undefined && hostCertificate === undefined && caCertificate === undefined) return undefined
  if (hostKey === undefined || hostCertificate === undefined || caCertificate === undefined) throw notWhole(paths)
  const clusterKey = readIfThere(paths.clusterKey)
  if (clusterKey !== undefined && clusterKey.length !== CLUSTER_KEY_BYTES) throw notWhole(paths)
  return {
    caCertificate: caCertificate.toString(),
    hostCertificate: hostCertificate.toString(),
    hostKey: hostKey.toString(),
    caKey: readIfThere(paths.caKey)?.toString(),
    clusterKey,
  }
}

/** Says in the directory that the host has its certificate, but is not set up yet. */
const UNFINISHED = 'unfinished'

/**
 * Returns the private key for a host that is about to join: the one of a try before this one that was cut off, as the others know its key already; else
 * a new one, also when the host was part of a cluster before.
 */
export function prepareHostKey(root: string): string {
  const { directory, hostKey } = securityPaths(root)
  const draft = draftOf(directory)
  const former = readIfThere(join(draft, FILES.hostKey)) ?? (isUnfinished(root) ? readIfThere(hostKey) : undefined)
  const key = former?.toString() ?? makePrivateKey()
  makeDirectory(draft)
  writeSecret(join(draft, FILES.hostKey), key)
  syncDirectory(draft)
  return key
}

/**
 * Writes all that a host proves itself with, whole or not at all; what was there before is replaced. With `isUnfinished` the key is that of a host that
 * is about to join until `finishIdentity` is called.
 */
export function writeIdentity(
  root: string,
  identity: Identity,
  options: { readonly isUnfinished?: boolean } = {},
): void {
  const { directory } = securityPaths(root)
  const draft = draftOf(directory)
  makeDirectory(draft)
  if (options.isUnfinished === true) writeSecret(join(draft, UNFINISHED), '')
  else rmSync(join(draft, UNFINISHED), { force: true })
  for (const [name, file] of Object.entries(FILES)) {
    const content = identity[name as keyof Identity]
    if (content === undefined) rmSync(join(draft, file), { force: true })
    else writeSecret(join(draft, file), content)
  }
  syncDirectory(draft)
  const former = `${directory}.former`
  rmSync(former, { recursive: true, force: true })
  if (existsSync(directory)) renameSync(directory, former)
  renameSync(draft, directory)
  syncDirectory(dirname(directory))
  rmSync(former, { recursive: true, force: true })
}

/** Tells whether a join got as far as its certificate and no further. */
export function isUnfinished(root: string): boolean {
  return existsSync(join(securityPaths(root).directory, UNFINISHED))
}

/** Says that the host is set up with what it proves itself with. */
export function finishIdentity(root: string): void {
  const { directory } = securityPaths(root)
  rmSync(join(directory, UNFINISHED), { force: true })
  syncDirectory(directory)
}

/** Replaces the certificate of a host; its key stays. */
export function writeHostCertificate(root: string, certificate: string): void {
  const { directory, hostCertificate } = securityPaths(root)
  // clustd and voterd both look after it.
  const draft = `${hostCertificate}.${process.pid}`
  writeSecret(draft, certificate)
  renameSync(draft, hostCertificate)
  syncDirectory(directory)
}

function draftOf(directory: string): string {
  return `${directory}.new`
}

function notWhole({ directory }: SecurityPaths): HaError {
  return new HaError('CONFIG_INVALID', `what this host proves itself with in ${directory} is not whole`, {
    hint: 'Remove that directory and let this host join anew: `scadmin token` on another host, then `scadmin join` here.',
  })
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new HaError('CONFIG_INVALID', `${path} cannot be read`, { hint: 'Ask as root.', cause })
  }
}

function makeDirectory(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

function writeSecret(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { mode: 0o600, flush: true })
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
