import type { ClusterConfig, DataService, LogicalAddress, LogicalHost, MethodName } from '../model/cluster-config.ts'
import type { DiskGroupName, PhysicalHostName } from '../model/names.ts'
import type { AfterFailure, Step } from '../model/step.ts'

const END_HALF: AfterFailure = { kind: 'end-half' }
const NOTE: AfterFailure = { kind: 'note' }

// A duplicate check and an announcement take a fraction of a second; what takes longer than this is a hung network tool.
const ADDRESS_TIMEOUT_MS = 15_000
// TERM, its grace and KILL; what survives this is in uninterruptible sleep and will show in the proof.
const END_PROCESSES_TIMEOUT_MS = 15_000
const PROVE_TIMEOUT_MS = 15_000

/** What every step builder is told. */
export interface StepContext {
  readonly cluster: ClusterConfig
  readonly logicalHost: LogicalHost
  readonly host: PhysicalHostName
}

/**
 * Returns where a disk group appears: the first one of a logical host carries the administrative file system and appears at `/<logical host>`
 * (Sun Cluster 2.2 API Developer's Guide 1.3.2), the others at `/<disk group>`.
 */
export function mountPointOf(logicalHost: LogicalHost, diskGroup: DiskGroupName): string {
  return logicalHost.diskGroups[0] === diskGroup ? `/${logicalHost.name}` : `/${diskGroup}`
}

/** The adapter of an address on a host; empty when the address needs none. */
export function adapterOf(address: LogicalAddress, host: PhysicalHostName): string {
  return address.adapters[host] ?? ''
}

/** Imports every disk group in the order of the list; by force from `uncleanOn` when that is not empty. */
export function importSteps(context: StepContext, uncleanOn: readonly PhysicalHostName[]): readonly Step[] {
  return context.logicalHost.diskGroups.map((diskGroup) => ({
    action: {
      kind: 'import',
      diskGroup,
      mountPoint: mountPointOf(context.logicalHost, diskGroup),
      force: uncleanOn.length > 0,
      lostHosts: uncleanOn,
    },
    timeoutMs: halfTimeoutMs(context.cluster),
    ifItFails: END_HALF,
  }))
}

/** Exports in reverse order. A failure is only noted: whether the release succeeded is what the proof says. */
export function exportSteps(context: StepContext): readonly Step[] {
  return context.logicalHost.diskGroups.toReversed().map((diskGroup) => ({
    action: { kind: 'export', diskGroup, mountPoint: mountPointOf(context.logicalHost, diskGroup) },
    timeoutMs: halfTimeoutMs(context.cluster),
    ifItFails: NOTE,
  }))
}

/** Brings every address up; the first that fails ends the half. */
export function addressUpSteps(context: StepContext, isReleased: boolean): readonly Step[] {
  const released = isReleased ? { isReleased } : {}
  return context.logicalHost.addresses.map((address) => ({
    action: { kind: 'address-up', address, adapter: adapterOf(address, context.host), ...released },
    timeoutMs: atMost(ADDRESS_TIMEOUT_MS, context.cluster),
    ifItFails: END_HALF,
  }))
}

/** Takes every address down. A failure is only noted: the proof will find the address. */
export function addressDownSteps(context: StepContext): readonly Step[] {
  return context.logicalHost.addresses.map((address) => ({
    action: { kind: 'address-down', address, adapter: adapterOf(address, context.host) },
    timeoutMs: atMost(ADDRESS_TIMEOUT_MS, context.cluster),
    ifItFails: NOTE,
  }))
}

/** The step that ends a give-up: nothing of the logical host is left here, or the half ends unproved. */
export function proveStep(context: StepContext): Step {
  return {
    action: {
      kind: 'prove-released',
      diskGroups: context.logicalHost.diskGroups,
      addresses: context.logicalHost.addresses.map((address) => ({
        address,
        adapter: adapterOf(address, context.host),
      })),
    },
    timeoutMs: atMost(PROVE_TIMEOUT_MS, context.cluster),
    ifItFails: END_HALF,
  }
}

/** Ends the processes that the methods of a service, or of all services, left behind on the logical host. */
export function endProcessesStep(cluster: ClusterConfig, service: DataService | 'all'): Step {
  return {
    action: { kind: 'end-processes', service: service === 'all' ? 'all' : service.name },
    timeoutMs: atMost(END_PROCESSES_TIMEOUT_MS, cluster),
    ifItFails: NOTE,
  }
}

/** Starts one service; a failure ends the half. No step when the service has no such method. */
export function startSteps(service: DataService, method: 'START' | 'START_NET'): readonly Step[] {
  return methodSteps(service, method, END_HALF)
}

/** Calls a fault monitor's method; a failure is noted and changes nothing else. */
export function monitorSteps(service: DataService, method: 'FM_INIT' | 'FM_START' | 'FM_STOP'): readonly Step[] {
  return methodSteps(service, method, NOTE)
}

/** Stops one service, or the network part of it. If that fails, the ladder: its ABORT method, then the end of all its processes. */
export function stopSteps(cluster: ClusterConfig, service: DataService, method: 'STOP' | 'STOP_NET'): readonly Step[] {
  const lastWords = methodSteps(service, method === 'STOP' ? 'ABORT' : 'ABORT_NET', NOTE)
  return methodSteps(service, method, { kind: 'ladder', steps: [...lastWords, endProcessesStep(cluster, service)] })
}

function methodSteps(service: DataService, method: MethodName, ifItFails: AfterFailure): readonly Step[] {
  const registered = service.methods[method]
  if (registered === undefined) return []
  return [
    {
      action: { kind: 'method', service: service.name, method, program: registered.program },
      timeoutMs: registered.timeoutS * 1000,
      ifItFails,
    },
  ]
}

/** A cluster whose logical host timeout is short has no step that is allowed longer. */
function atMost(timeoutMs: number, cluster: ClusterConfig): number {
  return Math.min(timeoutMs, halfTimeoutMs(cluster))
}

/** Each half may use half of the logical host timeout (Sun Cluster 2.2 7/00 Release Notes, 4233113). */
function halfTimeoutMs(cluster: ClusterConfig): number {
  return cluster.logicalHostTimeoutS * 500
}
