import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isAlive, readProcess } from '../../methods/proc.ts'
import { voterPaths } from './voter-paths.ts'

/** What a supervisor is at. */
export type VoterPhase =
  /** etcd was started and has not answered yet. */
  | 'starting'
  /** It follows, and is promoted once it has caught up. */
  | 'learning'
  | 'running'
  /** It ended or could not be started, and is tried again. */
  | 'failing'
  /** It was taken out of the cluster: it is not tried again until this machine joins anew. */
  | 'removed'
  | 'stopped'

/** How this machine's voter is, as its supervisor last wrote it. */
export interface VoterState {
  readonly phase: VoterPhase
  readonly name: string
  /** Where it is reached: its client endpoints, joined by commas. */
  readonly endpoint: string
  /** Process id of etcd; 0 = it does not run. */
  readonly etcdPid: number
  /** Starts since the supervisor began, the first one included. */
  readonly starts: number
  /** What is wrong, and what to do about it; empty = nothing. */
  readonly complaint: string
  readonly remedy: string
  readonly changedWallMs: number
  /** The supervisor that wrote it. */
  readonly supervisor: { readonly pid: number; readonly startTicks: number }
}

/** Tells of this process what a reader needs to know whether it lives. */
export function ownIdentity(): VoterState['supervisor'] {
  return { pid: process.pid, startTicks: readProcess(process.pid)?.startTicks ?? 0 }
}

/** Writes how the voter is. Throws what the file system throws. */
export function writeVoterState(root: string, state: VoterState): void {
  const { state: path } = voterPaths(root)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Reads how the voter was when its supervisor wrote last, and whether that supervisor lives; undefined when there never was one since the machine started. */
export function readVoterState(root: string): (VoterState & { readonly isSupervised: boolean }) | undefined {
  try {
    const state = JSON.parse(readFileSync(voterPaths(root).state, 'utf8')) as VoterState
    return { ...state, isSupervised: isAlive(state.supervisor) }
  } catch {
    return undefined // It is only for people, and written anew with every change.
  }
}
