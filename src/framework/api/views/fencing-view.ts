import type { ClusterState } from '../../model/cluster-state.ts'
import type { Fence, FenceDevice, FenceDeviceStatus } from '../../model/fencing.ts'
import type { FenceDeviceStatusJson, FenceJson, FencingStatusJson } from '../wire.ts'
import { inOrder } from './configuration-view.ts'

/** What the status of fencing is made of. */
export interface FencingFacts {
  readonly state: ClusterState
  readonly fences: readonly Fence[]
  readonly fenceStatus: readonly FenceDeviceStatus[]
}

/** Shows how fence devices are, and what was fenced. */
export function viewFencing({ state, fences, fenceStatus }: FencingFacts): FencingStatusJson {
  return {
    devices: inOrder(state.fenceDevices).map((device) =>
      viewDevice(
        device,
        fenceStatus.filter((one) => one.device === device.name && state.members.has(one.askedBy)),
      ),
    ),
    fences: fences.toSorted((a, b) => b.atWallMs - a.atWallMs).map(viewFence),
  }
}

/** A device that works for one member and not for another is one that may be needed where it does not. */
function viewDevice({ name, hosts }: FenceDevice, said: readonly FenceDeviceStatus[]): FenceDeviceStatusJson {
  const latest = said.toSorted((a, b) => Number(a.isWell) - Number(b.isWell) || b.atWallMs - a.atWallMs)[0]
  return {
    name,
    hosts,
    isWell: latest?.isWell ?? null,
    message: latest?.message ?? '',
    askedBy: latest?.askedBy ?? null,
    askedWallMs: latest?.atWallMs ?? null,
  }
}

function viewFence({ host, incarnation, by, operator, why, atWallMs, outcome }: Fence): FenceJson {
  return {
    host,
    incarnation,
    askedBy: by,
    operator,
    why,
    atWallMs,
    outcome: outcome.kind,
    devices: outcome.kind === 'confirmed' ? outcome.devices : [],
    tookMs: 'tookMs' in outcome ? outcome.tookMs : null,
    message: outcome.kind === 'failed' ? outcome.message : '',
  }
}
