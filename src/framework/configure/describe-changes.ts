import type { ConfigurationChangeJson } from '../api/wire.ts'
import { assertNever } from '../errors/assert-never.ts'
import type { LogicalAddress } from '../model/cluster-config.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import type { BackupGroup, Interface } from '../model/network.ts'
import { isSameValue } from '../model/same-value.ts'
import type { Configuration } from './configuration.ts'

/** Says for people and programs what changes do to a configuration, in their order. */
export function describeChanges(
  before: Configuration,
  changes: readonly ConfigurationChange[],
): readonly ConfigurationChangeJson[] {
  return changes.map((change) => {
    const { what, old, now } = partsOf(before, change)
    const kind = now === undefined ? 'remove' : old === undefined ? 'add' : 'change'
    return { kind, what, lines: now === undefined ? [] : linesOf(old, now), needsPrune: false }
  })
}

interface Parts {
  readonly what: string
  readonly old: object | undefined
  readonly now: object | undefined
}

function partsOf(before: Configuration, change: ConfigurationChange): Parts {
  switch (change.kind) {
    case 'cluster':
      return { what: `cluster ${change.cluster.name}`, old: before.cluster, now: change.cluster }
    case 'put-physical-host':
      return put('physical host', before.physicalHosts, change.physicalHost)
    case 'put-network':
      return put('network', before.networks, change.network)
    case 'put-fence-device':
      return put('fence device', before.fenceDevices, change.fenceDevice)
    case 'delete-network':
      return { what: `network ${change.name}`, old: {}, now: undefined }
    case 'delete-fence-device':
      return { what: `fence device ${change.name}`, old: {}, now: undefined }
    case 'put-disk-group':
      return put('disk group', before.diskGroups, change.diskGroup)
    case 'put-logical-host':
      return put('logical host', before.logicalHosts, change.logicalHost)
    case 'put-data-service':
      return put('data service', before.dataServices, change.dataService)
    case 'delete-physical-host':
      return { what: `physical host ${change.name}`, old: {}, now: undefined }
    case 'delete-disk-group':
      return { what: `disk group ${change.name}`, old: {}, now: undefined }
    case 'delete-logical-host':
      return { what: `logical host ${change.name}`, old: {}, now: undefined }
    case 'delete-data-service':
      return { what: `data service ${change.name}`, old: {}, now: undefined }
    default:
      return assertNever(change)
  }
}

function put<Name, Value extends { readonly name: Name }>(
  kind: string,
  before: ReadonlyMap<Name, Value>,
  now: Value,
): Parts {
  return { what: `${kind} ${now.name}`, old: before.get(now.name), now }
}

/** One line for each field that differs, nested fields by their path: `timings.stampMs: 400 -> 150`. */
function linesOf(old: object | undefined, now: object): readonly string[] {
  const before = flatten(old ?? {})
  const after = flatten(now)
  const fields = [...new Set([...before.keys(), ...after.keys()])].filter((field) => field !== 'name')
  return fields.flatMap((field) => {
    const [was, is] = [before.get(field), after.get(field)]
    if (isSameValue(was, is)) return []
    if (was === undefined) return isEmpty(is) ? [] : [`${field}: ${show(is)}`]
    return [`${field}: ${show(was)} -> ${show(is)}`]
  })
}

function flatten(value: object, prefix = ''): ReadonlyMap<string, unknown> {
  const fields = new Map<string, unknown>()
  for (const [name, inner] of Object.entries(value)) {
    const isNested = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    const nested = isNested ? flatten(inner, `${prefix}${name}.`) : [[`${prefix}${name}`, inner] as const]
    for (const [field, leaf] of nested) fields.set(field, leaf)
  }
  return fields
}

function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0)
}

function show(value: unknown): string {
  if (value === undefined) return 'none'
  if (typeof value === 'string') return value === '' ? "''" : value
  if (!Array.isArray(value)) return JSON.stringify(value)
  return `[${value.map(showItem).join(', ')}]`
}

/** Lists of objects: addresses, `192.0.2.1/24 (alpha: eth0, beta: eth1)`, interfaces, `priv1: eth1 10.1.0.1`, and groups, `nafo0: pub (eth1, eth2)`. */
function showItem(item: unknown): string {
  if (typeof item === 'string') return item
  if (isGroup(item)) return `${item.name}: ${item.network} (${item.adapters.join(', ')})`
  if (isInterface(item)) return `${item.network}: ${item.adapter} ${item.address}`
  return isAddress(item) ? showAddress(item) : JSON.stringify(item)
}

function isAddress(item: unknown): item is LogicalAddress {
  return typeof item === 'object' && item !== null && 'address' in item && 'adapters' in item
}

function isGroup(item: unknown): item is BackupGroup {
  return typeof item === 'object' && item !== null && 'network' in item && 'adapters' in item
}

function isInterface(item: unknown): item is Interface {
  return typeof item === 'object' && item !== null && 'network' in item && 'adapter' in item && 'address' in item
}

function showAddress({ address, prefixLength, adapters }: LogicalAddress): string {
  const on = Object.entries(adapters).map(([host, adapter]) => `${host}: ${adapter}`)
  return `${address}/${prefixLength}${on.length === 0 ? '' : ` (${on.join(', ')})`}`
}
