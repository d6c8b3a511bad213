import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { HaError } from '../errors/ha-error.ts'
import { type DatabasePlace, ETCD_ENDPOINTS_MAX } from '../model/database-place.ts'
import { type ClusterName, type PhysicalHostName, parseName } from '../model/names.ts'

/** What a host knows of itself before it has read the cluster database; `scadmin setup` writes it. */
export interface HostFile {
  readonly cluster: ClusterName
  readonly physicalHost: PhysicalHostName
  readonly database: DatabasePlace
  /** What the guard runs after it has stopped the host; empty = nothing. */
  readonly rebootCommand: readonly string[]
  /** Where other hosts reach the API; absent = nowhere. */
  readonly api?: ApiPlace | undefined
}

/** Where the API of a host can be reached over the network. */
export interface ApiPlace {
  /** Its own IP addresses or host names; empty = those of its interfaces and its name. */
  readonly addresses: readonly string[]
  readonly port: number
}

/** TCP port of the API when nothing else is said. */
export const API_PORT = 7411
/** Addresses of one host, at most. */
export const API_ADDRESSES_MAX = 16

const SCHEMA = 1

const absolutePath = z.string().startsWith('/')

const etcdShape = z
  .strictObject({
    kind: z.literal('etcd'),
    endpoints: z
      .array(z.string().regex(/^https?:\/\/[^/\s]+:\d+$/, 'must be http(s)://host:port'))
      .min(1)
      .max(ETCD_ENDPOINTS_MAX),
    isManaged: z.boolean(),
    tls: z
      .strictObject({ ca: absolutePath, certificate: absolutePath.optional(), key: absolutePath.optional() })
      .optional(),
    login: z.strictObject({ user: z.string(), passwordFile: absolutePath }).optional(),
  })
  .refine(({ tls }) => (tls?.certificate === undefined) === (tls?.key === undefined), {
    message: 'a certificate goes with its key',
    path: ['tls'],
  })
  .refine(({ endpoints }) => new Set(endpoints.map((endpoint) => endpoint.split(':')[0])).size === 1, {
    message: 'must be all http or all https',
    path: ['endpoints'],
  })

const shape = z.strictObject({
  schema: z.literal(SCHEMA),
  cluster: z.string(),
  physicalHost: z.string(),
  database: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('file'), directory: absolutePath }),
    etcdShape,
  ]),
  rebootCommand: z.array(z.string()).default([]),
  api: z
    .strictObject({ addresses: z.array(z.string()).max(API_ADDRESSES_MAX), port: z.int().min(1).max(65_535) })
    .optional(),
})

/** Names the host's own file below `HAVEN_ROOT`. */
export function hostFilePath(root: string): string {
  return join(root, 'etc/haven/host.json')
}

/** Where the cluster database is when `scadmin setup` does not say. */
export function defaultDatabaseDirectory(root: string): string {
  return join(root, 'var/lib/haven/database')
}

/** Reads the host's own file. Throws `NOT_SET_UP` when there is none, `CONFIG_INVALID` with all that is wrong with it. */
export function readHostFile(root: string): HostFile {
  const path = hostFilePath(root)
  const parsed = shape.safeParse(parseJson(path, readText(path)))
  if (!parsed.success) {
    throw new HaError('CONFIG_INVALID', `${path} is not as it should be`, {
      hint: 'Write it anew with scadmin setup.',
      details: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`),
    })
  }
  const { cluster, physicalHost, database, rebootCommand, api } = parsed.data
  return {
    cluster: parseName('cluster', cluster),
    physicalHost: parseName('physicalHost', physicalHost),
    database,
    rebootCommand,
    ...(api !== undefined && { api }),
  }
}

/** Writes the host's own file, whole or not at all. */
export function writeHostFile(root: string, file: HostFile): void {
  const path = hostFilePath(root)
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.new`
  writeFileSync(draft, `${JSON.stringify({ schema: SCHEMA, ...file }, null, 2)}\n`)
  renameSync(draft, path)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new HaError('NOT_SET_UP', `this host is not set up: there is no ${path}`, {
      hint: existsSync(join(dirname(path), 'voter.json'))
        ? 'It is a witness, which votes and does nothing else (scadmin voters). Ask on a host of the cluster.'
        : 'Set it up with: scadmin setup --cluster CLUSTER --host HOST, or let it into a cluster that there is: scadmin join',
    })
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HaError('CONFIG_INVALID', `${path} is not JSON`, { hint: 'Write it anew with scadmin setup.', cause })
  }
}
