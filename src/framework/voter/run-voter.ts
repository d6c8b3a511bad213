import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HaError } from '../errors/ha-error.ts'
import type { Effects } from '../ports/effects.ts'
import type { VoterAdmission, Voters } from '../ports/voters.ts'
import { createVoters } from './create-voters.ts'
import { EtcdCalls } from './etcd-calls.ts'
import { findEtcd } from './find-etcd.ts'
import { createGateway } from './gateway.ts'
import { isSupervised } from './only-supervisor.ts'
import { readVoterState, type VoterPhase } from './state-file.ts'
import { DEFAULT_TUNING } from './tuning.ts'
import {
  CLIENT_PORT,
  clientEndpoints,
  localEndpoint,
  PEER_PORT,
  peerUrlsOf,
  readVoterFile,
  type VoterFile,
  voterFileOf,
  writeVoterFile,
} from './voter-file.ts'
import { type VoterPaths, voterPaths } from './voter-paths.ts'

/** A voter that is alone serves after one election; a joined one has to be sent the database first. */
const RUNS_WITHIN_MS = 60_000
/** Starts that fail until it is said that it does not start. */
const STARTS_MAX = 4
const LOOK_EVERY_MS = 50
/** Longer than a supervisor takes until it holds its lock. */
const LOOKS_PER_START = 60

/** What starting a voter takes of the world. */
export interface VoterWorld {
  /** `HAVEN_ROOT`, absolute. */
  readonly root: string
  /** Directory with `bin/voterd`. */
  readonly installation: string
  readonly effects: Effects
}

/** The first voter of a cluster. */
export interface FirstVoter {
  readonly cluster: string
  /** The name of this physical host. */
  readonly name: string
  /** Its own IP addresses, at which the others will reach it; one at least. */
  readonly addresses: readonly string[]
  /** Whether `etc/haven/security` has what TLS takes. */
  readonly isTls: boolean
  /** Default: 7412 and 7413. */
  readonly clientPort?: number
  readonly peerPort?: number
}

/**
 * Makes this machine the first voter of a cluster, and waits until it serves. May be repeated: a voter that is there stays as it is and is started.
 * Throws `ETCD_UNUSABLE`, `CONFIG_INVALID` (this machine is a voter of another cluster), `WAIT_TIMED_OUT`.
 */
export async function startFirstVoter(world: VoterWorld, first: FirstVoter): Promise<void> {
  await findEtcd()
  const present = readVoterFile(world.root)
  const voter = present ?? newVoter(first, world.effects)
  if (voter.cluster !== first.cluster || voter.name !== first.name) {
    throw new HaError('CONFIG_INVALID', `this machine is the voter ${voter.name} of the cluster ${voter.cluster}`, {
      hint: `Take it out there first, then remove ${voterPaths(world.root).file}.`,
    })
  }
  if (present === undefined) writeVoterFile(world.root, voter)
  await runUntil(world, voter, ['running'])
}

/**
 * Makes this machine the voter that was admitted, and waits until it votes. Data of a former voter are put aside. May be repeated with the same admission.
 * Throws `ETCD_UNUSABLE`, `WAIT_TIMED_OUT`; then it goes on trying.
 */
export async function startJoinedVoter(world: VoterWorld, admission: VoterAdmission): Promise<void> {
  await findEtcd()
  const present = readVoterFile(world.root)
  const wanted = voterFileOf(admission, newId(world.effects))
  // An admission that was lost on the way is given again: a voter that is on its way with it goes on.
  const isUnderWay = present !== undefined && !present.hasStarted && present.initialCluster === wanted.initialCluster
  const voter = isUnderWay ? present : wanted
  if (!isUnderWay) writeVoterFile(world.root, voter)
  await runUntil(world, voter, ['running'])
}

/** Sees to it that a supervisor runs if this machine has a voter. Resolves when one was started, not when etcd serves. */
export function ensureSupervisor({ root, installation }: VoterWorld): void {
  if (readVoterFile(root) === undefined || isSupervised(root)) return
  const { supervisorLog } = voterPaths(root)
  mkdirSync(dirname(supervisorLog), { recursive: true })
  const output = openSync(supervisorLog, 'a', 0o600)
  try {
    spawn(process.execPath, ['--max-semi-space-size=1', join(installation, 'bin/voterd')], {
      detached: true,
      cwd: '/',
      env: { ...process.env, HAVEN_ROOT: root },
      stdio: ['ignore', output, output],
    }).unref()
  } finally {
    closeSync(output)
  }
}

/** What adding and removing voters from this machine is made with. */
export interface VotersOf {
  readonly root: string
  readonly cluster: string
  readonly effects: Effects
  /** Client endpoints that this host knows, at least one. */
  readonly endpoints: readonly string[]
  /** What this host proves itself with; default: the files in its `etc/haven/security`. */
  readonly tls?: VoterPaths['tls']
}

/** Makes what adds and removes voters, with the means of this machine. `close` lets its connections go. */
export function openVoters({ root, cluster, effects, endpoints, tls }: VotersOf): Voters & { close(): void } {
  const own = readVoterFile(root)
  // Its own voter is asked once, where it is reached also when its networks are gone.
  const known =
    own === undefined
      ? endpoints
      : [...new Set([localEndpoint(own), ...own.others, ...endpoints])].filter(
          (endpoint) => endpoint === localEndpoint(own) || !clientEndpoints(own).includes(endpoint),
        )
  const gateway = createGateway({ effects, tls: tls ?? voterPaths(root).tls })
  const voters = createVoters({
    calls: new EtcdCalls(gateway),
    effects,
    cluster,
    endpoints: () => known,
    tuning: () => readVoterFile(root)?.tuning ?? DEFAULT_TUNING,
    isTls: known.some((endpoint) => endpoint.startsWith('https:')),
    clientPort: own?.clientPort ?? CLIENT_PORT,
    peerPort: own?.peerPort ?? PEER_PORT,
  })
  return { ...voters, close: () => gateway.close() }
}

function newVoter(first: FirstVoter, effects: Effects): VoterFile {
  const { cluster, name } = first
  const place = { ...first, clientPort: first.clientPort ?? CLIENT_PORT, peerPort: first.peerPort ?? PEER_PORT }
  const id = newId(effects)
  return {
    ...place,
    id,
    cluster,
    name,
    // Another cluster of the same name on the same machines must never be taken for this one.
    token: `${cluster}-${id}`,
    initialCluster: peerUrlsOf(place)
      .map((url) => `${name}=${url}`)
      .join(','),
    initialState: 'new',
    tuning: DEFAULT_TUNING,
    others: [],
    isAlone: false,
    hasStarted: false,
  }
}

function newId(effects: Effects): string {
  return `${Math.round(effects.nowWallMs()).toString(36)}-${Math.floor(effects.random() * 2 ** 48).toString(36)}`
}

async function runUntil(world: VoterWorld, voter: VoterFile, phases: readonly VoterPhase[]): Promise<void> {
  const { root, effects } = world
  ensureSupervisor(world)
  const untilMs = effects.nowMonotonicMs() + RUNS_WITHIN_MS
  const startsBefore = readVoterState(root)?.starts ?? 0
  let looks = 0
  for (;;) {
    const state = readVoterState(root)
    const isThis = readVoterFile(root)?.hasStarted === true && state?.isSupervised === true
    if (isThis && phases.includes(state.phase) && state.complaint === '') return
    const starts = (state?.starts ?? 0) - (state?.isSupervised === true ? 0 : startsBefore)
    if (state?.isSupervised === true && state.phase === 'failing' && starts >= STARTS_MAX)
      throw notStarting(voter, state)
    if (effects.nowMonotonicMs() > untilMs) {
      const why = state?.complaint === '' || state === undefined ? '' : `: ${state.complaint}`
      throw new HaError(
        'WAIT_TIMED_OUT',
        `the voter ${voter.name} does not vote after ${RUNS_WITHIN_MS / 1000} s${why}`,
        {
          hint: state?.remedy === '' || state === undefined ? 'It goes on trying. See: scadmin voters' : state.remedy,
        },
      )
    }
    await effects.sleep(LOOK_EVERY_MS)
    looks += 1
    // One that was just ending when it was looked at has left nobody behind.
    if (looks % LOOKS_PER_START === 0) ensureSupervisor(world)
  }
}

function notStarting(
  { name }: VoterFile,
  { complaint, remedy }: { readonly complaint: string; readonly remedy: string },
): HaError {
  return new HaError('ETCD_UNUSABLE', `the etcd of ${name} does not start: ${complaint}`, {
    hint: remedy === '' ? 'See var/log/haven/etcd.log.' : remedy,
  })
}
