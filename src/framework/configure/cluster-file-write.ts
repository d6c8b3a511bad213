import { Document, isMap, isPair, isScalar, isSeq, visit } from 'yaml'
import {
  type DataService,
  type DiskGroup,
  type LogicalAddress,
  type LogicalHost,
  METHOD_NAMES,
} from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'

const HEADER = ` The configuration of a Haven cluster, as 'scconf CLUSTER export' writes it.

 'scconf CLUSTER diff -f FILE' shows what the file would change, 'scconf CLUSTER apply -f FILE' does it, all or nothing.
 Left out of 'cluster': stays as it is. Left out of an entry: its default. A section that is not there is left alone.
 Entries that are configured but not named in their section stay, unless '--prune' is given.
 A data service without 'state' stays on or off; a new one is off.`

/** Columns after which a list is no longer written on one line. */
const LINE_WIDTH = 120

/** Writes the whole configuration as the text of a cluster file: always in the same order, and applying it changes nothing. */
export function writeClusterFile(state: ClusterState): string {
  const { name, logicalHostTimeoutS, stepTimeoutS, syslogFacility, timings, budgets } = state.cluster
  const document = new Document({
    cluster: { name, logicalHostTimeoutS, stepTimeoutS, syslogFacility, timings, budgets },
    physicalHosts: section(state.physicalHosts, ({ publicNames, privateLinks }) => ({
      ...listUnlessEmpty({ publicNames }),
      ...listUnlessEmpty({ privateLinks }),
    })),
    diskGroups: section(state.diskGroups, writeDiskGroup),
    logicalHosts: section(state.logicalHosts, writeLogicalHost),
    dataServices: section(state.dataServices, writeService),
  })
  document.commentBefore = HEADER
  layOut(document)
  return document.toString({ lineWidth: LINE_WIDTH, flowCollectionPadding: false })
}

function section<Value>(map: ReadonlyMap<string, Value>, write: (value: Value) => object): object {
  const sorted = [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([name, value]) => [name, write(value)]))
}

function writeDiskGroup(group: DiskGroup): object {
  if (group.kind === 'directory') return { directory: group.path }
  return {
    filesystems: group.fileSystems.map(({ device, type, mountPoint, options }) => ({
      device,
      type,
      ...(mountPoint !== '' && { mountPoint }),
      ...listUnlessEmpty({ options }),
    })),
  }
}

function writeLogicalHost({ physicalHosts, diskGroups, addresses, switchback, onStuck }: LogicalHost): object {
  return { physicalHosts, diskGroups, addresses: addresses.map(writeAddress), switchback, onStuck }
}

function writeAddress({ kind, address, prefixLength, adapters }: LogicalAddress): object {
  const text = `${address}/${prefixLength}`
  return kind === 'local' ? { address: text } : { address: text, adapters }
}

function writeService(service: DataService): object {
  const { state, logicalHosts, dependsOn, baseDirectory, methods, version, apiVersion, packages } = service
  return {
    state,
    logicalHosts,
    ...listUnlessEmpty({ dependsOn }),
    ...(baseDirectory !== '' && { baseDirectory }),
    methods: Object.fromEntries(
      METHOD_NAMES.flatMap((name) => (methods[name] === undefined ? [] : [[name, methods[name]]])),
    ),
    ...(version !== '' && { version }),
    ...(apiVersion !== '' && { apiVersion }),
    ...listUnlessEmpty({ packages }),
  }
}

function listUnlessEmpty(field: Readonly<Record<string, readonly string[]>>): object {
  return Object.fromEntries(Object.entries(field).filter(([, list]) => list.length > 0))
}

/** Short things on one line, sections apart. */
function layOut(document: Document): void {
  visit(document, {
    Seq: (_, node) => {
      if (node.items.every((item) => isScalar(item))) node.flow = true
    },
    Map: (_, node) => {
      const isSmall = node.items.length <= 2 && node.items.every((pair) => isScalar(pair.value))
      if (node.items.length === 0 || (isSmall && node !== document.contents)) node.flow = true
    },
    Pair: (_, pair) => {
      // Blocks of one field read better on their own line than in braces.
      if (isPair(pair) && isMap(pair.value) && pair.value.items.some(({ value }) => isSeq(value)))
        pair.value.flow = false
    },
  })
  if (!isMap(document.contents)) return
  for (const pair of document.contents.items.slice(1)) {
    const key: unknown = pair.key
    if (isScalar(key)) key.spaceBefore = true
  }
}
