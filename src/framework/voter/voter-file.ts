import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname } from 'node:path'
import { z } from 'zod'
import { HaError } from '../errors/ha-error.ts'
import type { VoterAdmission, VoterTuning } from '../ports/voters.ts'
import { voterPaths } from './voter-paths.ts'

/** Where clients speak to an etcd that Haven runs, and where its voters speak to each other. */
export const CLIENT_PORT = 7412
export const PEER_PORT = 7413

/** Addresses of one voter, at most: more private networks than anybody has. */
export const VOTER_ADDRESSES_MAX = 4

/** What a supervisor knows of its voter. */
export interface VoterFile {
  /** Tells one life of a voter on this machine from the next: its data belong to it. */
  readonly id: string
  readonly cluster: string
  readonly name: string
  /** Its own IP addresses, at which the others reach it; one at least. */
  readonly addresses: readonly string[]
  readonly clientPort: number
  readonly peerPort: number
  readonly token: string
  readonly initialCluster: string
  /** `new` for the first voter of a cluster alone. */
  readonly initialState: 'new' | 'existing'
  readonly isTls: boolean
  readonly tuning: VoterTuning
  /** Client endpoints of the other voters, as they were known last: whom to ask whether this one is still wanted. */
  readonly others: readonly string[]
  /** Whether the next start makes it the only voter, with all that it knows: the others are lost for good. */
  readonly isAlone: boolean
  /** Whether etcd ever answered: then its data have to be there, and are never made anew by a mere start. */
  readonly hasStarted: boolean
}

const SCHEMA = 1

const port = z.number().int().min(1).max(65_535)
const shape = z.strictObject({
  schema: z.literal(SCHEMA),
  id: z.string().min(1),
  cluster: z.string().min(1),
  name: z.string().min(1),
  addresses: z
    .array(z.string().refine((text) => isIP(text) !== 0, { message: 'must be an IP address' }))
    .min(1)
    .max(VOTER_ADDRESSES_MAX),
  clientPort: port,
  peerPort: port,
  token: z.string().min(1),
  initialCluster: z.string().min(1),
  initialState: z.enum(['new', 'existing']),
  isTls: z.boolean(),
  tuning: z.strictObject({ heartbeatMs: z.number().int().positive(), electionMs: z.number().int().positive() }),
  others: z.array(z.string()),
  isAlone: z.boolean().default(false),
  hasStarted: z.boolean(),
})

/** Reads what this machine's voter is; undefined when it has none. Throws `CONFIG_INVALID` with all that is wrong. */
export function readVoterFile(root: string): VoterFile | undefined {
  const { file } = voterPaths(root)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const parsed = shape.safeParse(withAddresses(parseJson(text)))
  if (parsed.success) {
    const { schema: _, ...voter } = parsed.data
    return voter
  }
  throw new HaError('CONFIG_INVALID', `${file} is not as it should be`, {
    hint: 'Let this machine join anew.',
    details: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`),
  })
}

/** Writes what this machine's voter is, whole or not at all. */
export function writeVoterFile(root: string, voter: VoterFile): void {
  const { file } = voterPaths(root)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, `${JSON.stringify({ schema: SCHEMA, ...voter }, null, 2)}\n`, { flush: true })
  renameSync(`${file}.new`, file)
}

/** Makes this machine one without a voter. Its data stay. */
export function removeVoterFile(root: string): void {
  rmSync(voterPaths(root).file, { force: true })
}

/** Makes the file of a voter that was admitted. */
export function voterFileOf(admission: VoterAdmission, id: string): VoterFile {
  const { endpoints, peerUrls: _, ...rest } = admission
  const own = clientEndpoints(admission)
  return {
    ...rest,
    id,
    initialState: 'existing',
    isAlone: false,
    others: endpoints.filter((endpoint) => !own.includes(endpoint)),
    hasStarted: false,
  }
}

type Place = Pick<VoterFile, 'addresses' | 'isTls' | 'clientPort' | 'peerPort'>

/** Where clients speak to the voter, one for each of its addresses: `https://10.0.0.1:7412`. */
export function clientEndpoints({ addresses, isTls, clientPort }: Omit<Place, 'peerPort'>): readonly string[] {
  return addresses.map((address) => urlOf(address, isTls, clientPort))
}

/** Where the other voters speak to it, one for each of its addresses. */
export function peerUrlsOf({ addresses, isTls, peerPort }: Omit<Place, 'clientPort'>): readonly string[] {
  return addresses.map((address) => urlOf(address, isTls, peerPort))
}

/** Where this machine itself speaks to its voter, also when all its networks are gone; one on loopback addresses has neighbours there. */
export function localEndpoint({ addresses, isTls, clientPort }: Omit<Place, 'peerPort'>): string {
  const [first = ''] = addresses
  if (addresses.some(isLoopback)) return urlOf(first, isTls, clientPort)
  const isSix = addresses.length === 1 && isIP(first) === 6
  return urlOf(isSix ? '::1' : '127.0.0.1', isTls, clientPort)
}

/** Tells whether an IP address is one of the machine itself. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

/** Returns the address of a URL of a voter, an IPv6 one without brackets. */
export function addressOfUrl(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}

/** Writes a URL of a voter. */
export function urlOf(address: string, isTls: boolean, port: number): string {
  return `${isTls ? 'https' : 'http'}://${isIP(address) === 6 ? `[${address}]` : address}:${port}`
}

/** Before a voter could have several addresses its file said `address`. */
function withAddresses(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('address' in value)) return value
  const { address, ...rest } = value
  return { addresses: [address], ...rest }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // The shape says that it is not as it should be.
  }
}
