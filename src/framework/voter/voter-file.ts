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

/** What a supervisor knows of its voter. */
export interface VoterFile {
  /** Tells one life of a voter on this machine from the next: its data belong to it. */
  readonly id: string
  readonly cluster: string
  readonly name: string
  readonly address: string
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
  address: z.string().refine((text) => isIP(text) !== 0, { message: 'must be an IP address' }),
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
  const parsed = shape.safeParse(parseJson(text))
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
  const { endpoints, peerUrl: _, ...rest } = admission
  const own = clientEndpoint(admission)
  return {
    ...rest,
    id,
    initialState: 'existing',
    isAlone: false,
    others: endpoints.filter((endpoint) => endpoint !== own),
    hasStarted: false,
  }
}

type Place = Pick<VoterFile, 'address' | 'isTls' | 'clientPort' | 'peerPort'>

/** Where clients speak to the voter: `https://10.0.0.1:7412`. */
export function clientEndpoint({ address, isTls, clientPort }: Place): string {
  return urlOf(address, isTls, clientPort)
}

/** Where the other voters speak to it. */
export function peerUrlOf({ address, isTls, peerPort }: Place): string {
  return urlOf(address, isTls, peerPort)
}

function urlOf(address: string, isTls: boolean, port: number): string {
  return `${isTls ? 'https' : 'http'}://${isIP(address) === 6 ? `[${address}]` : address}:${port}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // The shape says that it is not as it should be.
  }
}
