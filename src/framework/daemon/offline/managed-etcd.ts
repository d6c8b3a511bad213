import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { OwnVoterJson, VotersJson } from '../../api/wire.ts'
import { HaError, isHaError } from '../../errors/ha-error.ts'
import type { EtcdPlace } from '../../model/database-place.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import { createRealEffects } from '../../ports/real-effects.ts'
import type { VoterAdmission } from '../../ports/voters.ts'
import { voterWarnings } from '../../voter/quorum.ts'
import {
  ensureSupervisor,
  openVoters,
  startFirstVoter,
  startJoinedVoter,
  type VoterWorld,
} from '../../voter/run-voter.ts'
import { readVoterState } from '../../voter/state-file.ts'
import { stopSupervisor } from '../../voter/stop-supervisor.ts'
import {
  addressOfUrl,
  CLIENT_PORT,
  clientEndpoints,
  readVoterFile,
  VOTER_ADDRESSES_MAX,
  writeVoterFile,
} from '../../voter/voter-file.ts'
import { voterPaths } from '../../voter/voter-paths.ts'
import { type HostFile, readHostFile } from '../host-file.ts'

/** A host whose cluster database is an etcd that Haven runs. */
export interface ManagedHost {
  readonly root: string
  /** Directory with `bin/voterd`. */
  readonly installation: string
}

/** Says where the database of a first host is, before its etcd runs. Throws `USAGE` when one of the `addresses` is none, or they are needed. */
export function managedPlace(root: string, addresses: readonly string[] | undefined): EtcdPlace {
  const own = readVoterFile(root)
  if (own !== undefined) return placeOf(root, [...clientEndpoints(own), ...own.others])
  const isTls = hasCertificate(root)
  return placeOf(root, clientEndpoints({ addresses: ownAddresses(addresses), isTls, clientPort: CLIENT_PORT }))
}

/** Makes the place of an etcd that Haven runs, for the host below `root`: what it proves itself with is its own. */
export function placeOf(root: string, endpoints: readonly string[]): EtcdPlace {
  const isTls = endpoints.some((endpoint) => endpoint.startsWith('https:'))
  return { kind: 'etcd', endpoints, isManaged: true, ...(isTls && { tls: voterPaths(root).tls }) }
}

/**
 * Makes of the place that the database of this machine has moved to the one that the host below `root` uses: it proves itself with what is its own. A host
 * that was only set up beside the one that moved it has nothing of its own, and uses what that one has.
 */
export function localizePlace(root: string, place: EtcdPlace): EtcdPlace {
  const { tls } = voterPaths(root)
  const isOwn = place.isManaged && place.tls !== undefined && isSameFile(tls.ca, place.tls.ca)
  return isOwn && existsSync(tls.certificate) ? { ...place, tls } : place
}

function isSameFile(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && readFileSync(one).equals(readFileSync(other))
}

/** Starts the voter of this host and waits until it serves; where the host has none yet, it becomes the first one of the cluster. */
export async function startManagedEtcd(
  { root, installation }: ManagedHost,
  { cluster, physicalHost }: { readonly cluster: string; readonly physicalHost: PhysicalHostName },
  place: EtcdPlace,
): Promise<void> {
  // Where there is a voter already, this says nothing new to it.
  const { endpoints } = place
  await startFirstVoter(worldOf({ root, installation }), {
    cluster,
    name: physicalHost,
    addresses: endpoints.map(addressOfUrl),
    isTls: endpoints.some((endpoint) => endpoint.startsWith('https:')),
  })
}

/** Starts the voter that was admitted with a join, and waits until it votes. See `startJoinedVoter`. */
export async function startVoterOfJoin(host: ManagedHost, admission: VoterAdmission): Promise<void> {
  await startJoinedVoter(worldOf(host), admission)
}

/** Sees to it that the voter of this machine is supervised, if it has one. */
export function startVoter(host: ManagedHost): void {
  ensureSupervisor(worldOf(host))
}

/** Ends the voter of this machine in order, if one runs. */
export async function stopVoter(root: string): Promise<boolean> {
  return stopSupervisor(root, createRealEffects())
}

/** Asks all voters how they are. Works on hosts and on witnesses, with clustd or without. Throws `NOT_SET_UP`, `DATABASE_UNAVAILABLE`. */
export async function listVoters(root: string): Promise<VotersJson> {
  const { cluster, endpoints } = voterFacts(root)
  const voters = openVoters({ root, cluster, effects: createRealEffects(), endpoints })
  try {
    const listed = await voters.list()
    return { cluster, voters: listed, warnings: voterWarnings(listed), own: ownVoter(root) }
  } catch (error) {
    const own = ownVoter(root)
    if (own === null || own.complaint === '' || !isHaError(error, 'DATABASE_UNAVAILABLE')) throw error
    // What is wrong here is what whoever asks here can do something about.
    return { cluster, voters: [], warnings: [`No voter answers; here: ${own.complaint}. ${own.remedy}`.trim()], own }
  } finally {
    voters.close()
  }
}

/** Takes a voter out; returns what an operator should know of those that are left, one sentence each. Throws `VOTERS_UNSAFE`, `NOT_FOUND`, `DATABASE_UNAVAILABLE`. */
export async function removeVoter(root: string, name: string): Promise<readonly string[]> {
  const { cluster, endpoints } = voterFacts(root)
  const voters = openVoters({ root, cluster, effects: createRealEffects(), endpoints })
  try {
    const listed = await voters.list()
    if (!listed.some((voter) => voter.name === name)) {
      throw new HaError('NOT_FOUND', `there is no voter ${name}`, {
        hint: `There are: ${listed.map((voter) => voter.name).join(', ')}`,
      })
    }
    await voters.remove(name)
    return voterWarnings(listed.filter((voter) => voter.name !== name))
  } finally {
    voters.close()
  }
}

/**
 * Makes the voter of this machine the only one, with all that it knows, because the majority of the voters is lost for good. The operator names the lost ones:
 * if they are alive after all, there are two databases, and two masters. Throws `NOT_SET_UP`, `USAGE` (others are lost than those), `VOTERS_UNSAFE` (one of them answers).
 */
export async function recoverAlone(host: ManagedHost, lost: readonly string[]): Promise<void> {
  const { root } = host
  const file = readVoterFile(root)
  if (file === undefined) throw new HaError('NOT_SET_UP', 'this machine has no voter')
  const { cluster, endpoints } = voterFacts(root)
  const voters = openVoters({ root, cluster, effects: createRealEffects(), endpoints })
  const listed = await voters.list().finally(() => voters.close())
  const others = listed.filter(({ name }) => name !== file.name)
  const names = others.map(({ name }) => name).toSorted()
  if (names.join() !== lost.toSorted().join()) {
    throw new HaError('USAGE', `the other voters are ${names.join(', ') || 'none'}`, {
      hint: 'Name exactly those, after you have made sure that each of them is off and will not come back.',
    })
  }
  const alive = others.filter(({ version }) => version !== '')
  if (alive.length > 0) {
    throw new HaError('VOTERS_UNSAFE', `not lost, for they answer: ${alive.map(({ name }) => name).join(', ')}`, {
      hint: 'While a majority lives, take voters out with: scadmin voters remove. Else stop what is left of them first: scadmin voters stop',
    })
  }
  writeVoterFile(root, { ...file, isAlone: true })
  startVoter(host)
}

function ownVoter(root: string): OwnVoterJson | null {
  const file = readVoterFile(root)
  if (file === undefined) return null
  const state = readVoterState(root)
  const isSupervised = state?.isSupervised === true
  return {
    name: file.name,
    phase: isSupervised ? state.phase : 'stopped',
    complaint: isSupervised ? state.complaint : 'nobody supervises it on this machine',
    remedy: isSupervised ? state.remedy : 'Start it with: scadmin voters start',
    isSupervised,
    ...file.tuning,
  }
}

function voterFacts(root: string): { readonly cluster: string; readonly endpoints: readonly string[] } {
  const own = readVoterFile(root)
  const host = readIfThere(root)
  if (host?.database.kind === 'etcd' && host.database.isManaged) {
    return { cluster: host.cluster, endpoints: host.database.endpoints }
  }
  if (own !== undefined) return { cluster: own.cluster, endpoints: [...clientEndpoints(own), ...own.others] }
  throw new HaError('NOT_SET_UP', 'the cluster database of this host is not an etcd that Haven runs', {
    hint: 'It becomes one with: scadmin setup --database etcd; or, while the cluster runs: scadmin database migrate',
  })
}

function readIfThere(root: string): HostFile | undefined {
  try {
    return readHostFile(root)
  } catch (error) {
    if (isHaError(error, 'NOT_SET_UP')) return undefined // A witness is no host.
    throw error
  }
}

function hasCertificate(root: string): boolean {
  return existsSync(voterPaths(root).tls.certificate)
}

function worldOf({ root, installation }: ManagedHost): VoterWorld {
  return { root, installation, effects: createRealEffects() }
}

/** Returns the addresses that others reach the voter of this machine at: those that were given, each once, else the only one there is. Throws `USAGE`. */
export function ownAddresses(given: readonly string[] | undefined): readonly string[] {
  if (given !== undefined && given.length > 0) return checkAddresses(given)
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses)
  const usable = all.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address)
  const [address] = usable
  if (address !== undefined && usable.length === 1) return [address]
  const what = usable.length === 0 ? 'no address' : `several addresses (${usable.join(', ')})`
  throw new HaError('USAGE', `this machine has ${what}: say at which one the other voters reach it`, {
    hint: 'Best one in each private network: --address ADDRESS,ADDRESS',
  })
}

/** Returns IP addresses, each once. Throws `USAGE` when one is none, or there are too many. */
export function checkAddresses(given: readonly string[]): readonly string[] {
  const wrong = given.find((address) => isIP(address) === 0)
  if (wrong !== undefined) {
    throw new HaError('USAGE', `'${wrong}' is no IP address`, { hint: 'Name one of this machine, such as 10.0.0.1.' })
  }
  const addresses = [...new Set(given)]
  refuseTooMany(addresses)
  return addresses
}

/** Throws `USAGE` when these are more than a voter may have. */
export function refuseTooMany(addresses: readonly string[]): void {
  if (addresses.length <= VOTER_ADDRESSES_MAX) return
  throw new HaError('USAGE', `a voter has ${VOTER_ADDRESSES_MAX} addresses at most`, {
    hint: 'One in each private network is enough.',
  })
}
