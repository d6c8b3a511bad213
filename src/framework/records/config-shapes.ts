import { z } from 'zod'
import {
  type ClusterConfig,
  type DataService,
  type DiskGroup,
  type LogicalAddress,
  type LogicalHost,
  METHOD_NAMES,
  type PhysicalHost,
} from '../model/cluster-config.ts'
import type { FenceDevice } from '../model/fencing.ts'
import { LATER_DEFAULTS } from '../model/later-defaults.ts'
import {
  type ClusterName,
  type DataServiceName,
  type DiskGroupName,
  type FenceDeviceName,
  isName,
  type LogicalHostName,
  type NetworkName,
  type PhysicalHostName,
} from '../model/names.ts'
import type { Network } from '../model/network.ts'

function name<Name extends string>(): z.ZodType<Name> {
  return z.custom<Name>((value) => typeof value === 'string' && isName(value), 'is not a name')
}

/** Shapes of names, shared by all records. */
export const physicalHostName = name<PhysicalHostName>()
export const logicalHostName = name<LogicalHostName>()
export const diskGroupName = name<DiskGroupName>()
export const dataServiceName = name<DataServiceName>()
export const networkName = name<NetworkName>()
export const fenceDeviceName = name<FenceDeviceName>()
export const clusterName = name<ClusterName>()

const ms = z.number().nonnegative()
const seconds = z.number().positive()
const count = z.int().nonnegative()

export const methodName = z.enum(METHOD_NAMES)

export const clusterShape: z.ZodType<ClusterConfig> = z.object({
  name: clusterName,
  timings: z.object({ stampMs: ms, guardMs: ms, abortMs: ms, marginMs: ms }),
  // What later versions added has a default: a record that was written before them says nothing of it.
  heartbeats: z.object({ intervalMs: ms, suspectMs: ms }).default(LATER_DEFAULTS.heartbeats),
  fencing: z
    .object({ shareMax: z.number(), windowMs: ms, delayMs: ms, statusEveryMs: ms })
    .default(LATER_DEFAULTS.fencing),
  rejoins: z.object({ rejoinsMax: count, windowMs: ms }).default(LATER_DEFAULTS.rejoins),
  budgets: z.object({
    takeoversMax: count,
    takeoverWindowMs: ms,
    evictionsMax: count,
    evictionWindowMs: ms,
    parallelMovesMax: z.int().positive(),
  }),
  logicalHostTimeoutS: seconds,
  stepTimeoutS: seconds,
  syslogFacility: z.string(),
})

export const physicalHostShape: z.ZodType<PhysicalHost> = z.object({
  name: physicalHostName,
  publicNames: z.array(z.string()),
  privateLinks: z.array(z.string()),
  interfaces: z.array(z.object({ network: networkName, adapter: z.string(), address: z.string() })).default([]),
  backupGroups: z
    .array(z.object({ name: z.string(), network: networkName, adapters: z.array(z.string()).min(1) }))
    .default([]),
  fenceLevels: z.array(z.array(fenceDeviceName).min(1)).default([]),
})

export const networkShape: z.ZodType<Network> = z.object({
  name: networkName,
  role: z.enum(['internal', 'client', 'both', 'none']),
  probeTargets: z.array(z.string()),
  adapterTests: z
    .object({ inactiveMs: ms, pingTimeoutMs: ms, repeatTests: z.int(), backMs: ms, compareMs: ms })
    .exactOptional(),
})

export const fenceDeviceShape: z.ZodType<FenceDevice> = z.object({
  name: fenceDeviceName,
  agent: z.enum(['command', 'fence-agent']),
  program: z.string(),
  options: z.record(z.string(), z.string()),
  plugs: z.record(z.string(), z.string()),
  hosts: z.array(physicalHostName),
  action: z.enum(['off', 'reboot']),
  timeoutMs: ms,
})

const fileSystem = z.object({
  device: z.string(),
  type: z.enum(['ext4', 'xfs']),
  mountPoint: z.string(),
  options: z.array(z.string()),
})

export const diskGroupShape: z.ZodType<DiskGroup> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('directory'), name: diskGroupName, path: z.string() }),
  z.object({
    kind: z.literal('filesystem'),
    name: diskGroupName,
    fileSystems: z.array(fileSystem),
    reservation: z.object({ program: z.string() }).exactOptional(),
  }),
])

export const addressShape: z.ZodType<LogicalAddress> = z.object({
  kind: z.enum(['local', 'ip']),
  address: z.string(),
  prefixLength: z.int(),
  adapters: z.record(z.string(), z.string()),
})

export const logicalHostShape: z.ZodType<LogicalHost> = z.object({
  name: logicalHostName,
  physicalHosts: z.array(physicalHostName),
  diskGroups: z.array(diskGroupName),
  addresses: z.array(addressShape),
  switchback: z.enum(['automatic', 'manual']),
  onStuck: z.enum(['stay', 'abort']),
})

const method = z.object({ program: z.string(), timeoutS: seconds })

export const dataServiceShape: z.ZodType<DataService> = z.object({
  name: dataServiceName,
  state: z.enum(['on', 'off']),
  methods: z.object({
    START: method.exactOptional(),
    START_NET: method.exactOptional(),
    STOP: method.exactOptional(),
    STOP_NET: method.exactOptional(),
    ABORT: method.exactOptional(),
    ABORT_NET: method.exactOptional(),
    FM_INIT: method.exactOptional(),
    FM_START: method.exactOptional(),
    FM_STOP: method.exactOptional(),
    FM_CHECK: method.exactOptional(),
  }),
  baseDirectory: z.string(),
  dependsOn: z.array(dataServiceName),
  logicalHosts: z.array(logicalHostName),
  version: z.string(),
  apiVersion: z.string(),
  packages: z.array(z.string()),
})
