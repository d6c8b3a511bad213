import { networkInterfaces } from 'node:os'
import { HaError, isHaError } from '../../errors/ha-error.ts'
import { isSameValue } from '../../model/same-value.ts'
import { createRealEffects } from '../../ports/real-effects.ts'
import type { VoterStatus } from '../../ports/voters.ts'
import { readIdentity } from '../../security/identity-files.ts'
import { renewFromHosts, renewOwnCertificate } from '../../security/renew.ts'
import { openVoters } from '../../voter/run-voter.ts'
import {
  clientEndpoints,
  isLoopback,
  peerUrlsOf,
  readVoterFile,
  type VoterFile,
  writeVoterFile,
} from '../../voter/voter-file.ts'
import { checkAddresses, type ManagedHost, startVoter } from './managed-etcd.ts'

/** Its etcd is started anew when it is its turn, and has an election to win. */
const CHANGED_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 250

/** Where a voter is reached from now on. */
export interface VoterPlace {
  readonly name: string
  readonly addresses: readonly string[]
}

/**
 * Says at which addresses the voter of this machine is reached, all of them, and waits until it is and all voters know. Its certificate is for the new ones first; then its
 * etcd is started anew by its supervisor, and tells the others. One of the former addresses has to stay, so that they never lose it. May be repeated.
 * Throws `NOT_SET_UP`, `USAGE`, `VOTERS_UNSAFE` (another voter is not well), `CERTIFICATE_REFUSED`, `HOST_UNREACHABLE`, `DATABASE_UNAVAILABLE`, `WAIT_TIMED_OUT`; then it goes on trying.
 */
export async function setVoterAddresses(host: ManagedHost, given: readonly string[]): Promise<VoterPlace> {
  const { root } = host
  const file = readVoterFile(root)
  if (file === undefined) throw new HaError('NOT_SET_UP', 'this machine has no voter')
  const addresses = checkAddresses(given)
  refuseOthers(file, addresses)
  await refuseWhileSick(root, file)
  await certifyFor(root, addresses)
  await untilKnown(host, { ...file, addresses })
  return { name: file.name, addresses }
}

function refuseOthers({ name, addresses: former }: VoterFile, addresses: readonly string[]): void {
  if (!addresses.some((address) => former.includes(address))) {
    throw new HaError('USAGE', `none of the addresses of ${name} would stay: ${former.join(', ') || 'none'}`, {
      hint: 'Add the new ones first; when that is done, name only those that stay.',
    })
  }
  const present = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
  const news = addresses.filter((address) => !former.includes(address) && !isLoopback(address))
  const missing = news.filter((address) => !present.includes(address))
  if (missing.length === 0) return
  throw new HaError('USAGE', `this machine does not have the address ${missing.join(', ')} now`, {
    hint: `It has: ${present.filter((address) => !isLoopback(address)).join(', ')}`,
  })
}

/** Two voters that are away at the same time may be one too many. */
async function refuseWhileSick(root: string, { name }: VoterFile): Promise<void> {
  const listed = await listAt(root)
  const sick = listed.filter((voter) => voter.name !== name && !voter.isHealthy)
  if (sick.length === 0) return
  throw new HaError('VOTERS_UNSAFE', `not well: ${sick.map((voter) => voter.name).join(', ')}`, {
    hint: `The etcd of ${name} has to be started anew for that: bring the others back first, or take them out.`,
    details: sick.map((voter) => `${voter.name}: ${voter.complaint}`),
  })
}

/** etcd reads its certificate for each connection, so it is there before anybody comes by a new way. */
async function certifyFor(root: string, addresses: readonly string[]): Promise<void> {
  if (readIdentity(root) === undefined) return
  const parts = { root, effects: createRealEffects(), tell: () => undefined }
  if (!(await renewOwnCertificate(parts, addresses))) await renewFromHosts(parts, addresses)
}

async function untilKnown(host: ManagedHost, wanted: VoterFile): Promise<void> {
  const effects = createRealEffects()
  const untilMs = effects.nowMonotonicMs() + CHANGED_WITHIN_MS
  for (;;) {
    keep(host.root, wanted)
    startVoter(host)
    const own = (await listIfThere(host.root)).find(({ name }) => name === wanted.name)
    if (own !== undefined && isReachedAt(own, wanted)) return
    if (effects.nowMonotonicMs() > untilMs) break
    await effects.sleep(LOOK_EVERY_MS)
  }
  throw new HaError(
    'WAIT_TIMED_OUT',
    `${wanted.name} is not reached at ${wanted.addresses.join(', ')} after ${CHANGED_WITHIN_MS / 1000} s`,
    { hint: 'It goes on trying, one voter after the other, while all others are well. See: scadmin voters' },
  )
}

/** Its supervisor writes the same file: whoever was in the middle of that wrote the former addresses again. */
function keep(root: string, { id, addresses }: VoterFile): void {
  const present = readVoterFile(root)
  if (present === undefined || present.id !== id || isSameValue(present.addresses, addresses)) return
  writeVoterFile(root, { ...present, addresses })
}

function isReachedAt(own: VoterStatus, wanted: VoterFile): boolean {
  const isSame = (one: readonly string[], other: readonly string[]): boolean =>
    isSameValue(one.toSorted(), other.toSorted())
  return own.isHealthy && isSame(own.endpoints, clientEndpoints(wanted)) && isSame(own.peerUrls, peerUrlsOf(wanted))
}

/** Empty while nobody answers: a voter that is alone is away for a moment. */
async function listIfThere(root: string): Promise<readonly VoterStatus[]> {
  try {
    return await listAt(root)
  } catch (error) {
    if (isHaError(error, 'DATABASE_UNAVAILABLE')) return []
    throw error
  }
}

async function listAt(root: string): Promise<readonly VoterStatus[]> {
  const cluster = readVoterFile(root)?.cluster ?? ''
  const voters = openVoters({ root, cluster, effects: createRealEffects(), endpoints: [] })
  return voters.list().finally(() => voters.close())
}
