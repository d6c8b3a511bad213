import { HaError } from '../errors/ha-error.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { Fence, FenceDevice, Rejoins } from '../model/fencing.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { Guard } from '../ports/cluster-database.ts'
import { type Draft, putRejoins, toWrite } from '../records/encode.ts'
import type { Host } from './host.ts'

/** Finds the devices of a host by level; levels and devices that are not configured any more are left out. Empty = it cannot be fenced. */
export function levelsOf(
  { physicalHosts, fenceDevices }: ClusterState,
  host: PhysicalHostName,
): readonly (readonly FenceDevice[])[] {
  const levels = physicalHosts.get(host)?.fenceLevels ?? []
  return levels
    .map((names) => names.flatMap((name) => fenceDevices.get(name) ?? []))
    .filter((devices, index) => devices.length > 0 && devices.length === levels[index]?.length)
}

/** How long a fence may take at most, milliseconds: the slowest device of each level, one level after the other. */
export function fenceMsMax(levels: readonly (readonly FenceDevice[])[]): number {
  return levels.reduce((sum, devices) => sum + Math.max(...devices.map(({ timeoutMs }) => timeoutMs)), 0)
}

/** Drafts that a host was lost while the cluster went on: it may have to be let in again by hand. */
export function lossOf(host: Host, lost: PhysicalHostName, incarnation: number): Draft {
  const before: Rejoins | undefined = host.view.fencing.rejoins().get(lost)
  return putRejoins({
    host: lost,
    lostIncarnation: incarnation,
    atWallMs: host.parts.effects.nowWallMs(),
    byItselfWallMs: before?.byItselfWallMs ?? [],
  })
}

/** Commits what fencing writes by itself, and takes it in. False = somebody else was faster; then everything is read again. Throws `DATABASE_*`. */
export async function commitDrafts(
  host: Host,
  guards: readonly Guard[],
  drafts: readonly Draft[],
  durability: 'durable' | 'volatile',
): Promise<boolean> {
  const { parts, view, knowledge } = host
  const outcome = await parts.database.commit(guards, drafts.map(toWrite), { durability })
  if (outcome.kind === 'committed') {
    knowledge.take(view.committed(outcome.revision, drafts))
    return true
  }
  await host.readAgain()
  return false
}

/** Throws `FENCE_FAILED` when a host has no fence device. */
export function refuseWithoutDevice(state: ClusterState, host: PhysicalHostName): void {
  if (levelsOf(state, host).length > 0) return
  throw new HaError('FENCE_FAILED', `no fence device is configured for ${host}`, {
    hint: `Configure one with scconf --fence-device, or switch ${host} off by hand and say so: scadmin confirm-down ${host} --reason REASON`,
  })
}

/** Says in a few words how a fence ended; for logs. */
export function describeOutcome({ outcome }: Fence): string {
  switch (outcome.kind) {
    case 'asked':
      return 'asked for'
    case 'confirmed':
      return `confirmed by ${outcome.devices.join(' and ')} after ${(outcome.tookMs / 1000).toFixed(2)} s`
    case 'confirmed-by-operator':
      return 'confirmed by an operator'
    case 'failed':
      return `failed after ${(outcome.tookMs / 1000).toFixed(2)} s: ${outcome.message}`
  }
}
