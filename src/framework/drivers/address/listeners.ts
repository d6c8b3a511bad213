import { readdirSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { ProcSearch } from '../../ports/proc-search.ts'
import { type LiveProcess, listPids, readProcess, readTags } from '../processes.ts'
import { shareLook } from '../share-look.ts'

/** A process that waits for clients on an address. */
export interface Listener extends LiveProcess {
  readonly port: number
  readonly tag: string | undefined
}

/** State of a TCP socket that waits for connections. */
const TCP_LISTEN = '0A'

/** Finds who listens; see `createListenerLook`. */
export type ListenerLook = (address: Buffer) => Promise<readonly Listener[]>

/** Makes a look for the processes that listen (TCP) or receive (UDP) on exactly an IPv4 address; those that this user may not look into are not found. */
export function createListenerLook(search?: ProcSearch): ListenerLook {
  // In the thread pool: the kernel walks a table of a hundred thousand places, which takes a millisecond or two.
  const readTables = shareLook(() => Promise.all(['/proc/net/tcp', '/proc/net/udp'].map(readTable)))
  return async (address) => {
    const [tcp = '', udp = ''] = await readTables()
    const ports = portsByInode(address, { tcp, udp })
    if (ports.size === 0) return []
    const found = listPids().flatMap((pid) => listenersOf(pid, ports))
    const tags = await readTags(
      found.map(({ pid }) => pid),
      search,
    )
    return found.map((listener) => ({ ...listener, tag: tags.get(listener.pid) }))
  }
}

function readTable(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '') // A kernel without this protocol.
}

function portsByInode(
  address: Buffer,
  { tcp, udp }: { readonly tcp: string; readonly udp: string },
): ReadonlyMap<string, number> {
  // The kernel prints the address as a number of this machine, whose bytes lie the other way round on all machines that matter.
  const digits = Buffer.from(address).reverse().toString('hex').toUpperCase()
  const waiting = linesWith(tcp, digits).filter((words) => words[3] === TCP_LISTEN)
  const bound = [...waiting, ...linesWith(udp, digits)].filter((words) => words[1]?.startsWith(`${digits}:`))
  return new Map(bound.map((words) => [words[9] ?? '', Number.parseInt(words[1]?.slice(digits.length + 1) ?? '', 16)]))
}

/** Splits a table if the address stands in it at all. Columns: number, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode. */
function linesWith(table: string, digits: string): readonly (readonly string[])[] {
  if (!table.includes(` ${digits}:`)) return []
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
}

function listenersOf(pid: number, ports: ReadonlyMap<string, number>): readonly Omit<Listener, 'tag'>[] {
  const port = descriptorsOf(pid)
    .map((target) => ports.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? ''))
    .find((each) => each !== undefined)
  const process_ = port === undefined ? undefined : readProcess(pid)
  return port === undefined || process_ === undefined ? [] : [{ ...process_, port }]
}

function descriptorsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`))
  } catch {
    return [] // Gone, or not ours to look into.
  }
}
