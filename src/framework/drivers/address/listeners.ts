import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type LiveProcess, listPids, readProcess, readTag } from '../processes.ts'

/** A process that waits for clients on an address. */
export interface Listener extends LiveProcess {
  readonly port: number
  readonly tag: string | undefined
}

/** State of a TCP socket that waits for connections. */
const TCP_LISTEN = '0A'

/** Finds the processes that listen (TCP) or receive (UDP) on exactly this IPv4 address; those that this user may not look into are not found. */
export async function findListeners(address: Buffer): Promise<readonly Listener[]> {
  const ports = portsByInode(address)
  if (ports.size === 0) return []
  const found = await Promise.all(listPids().map((pid) => listenersOf(pid, ports)))
  return found.flat()
}

function portsByInode(address: Buffer): ReadonlyMap<string, number> {
  // The kernel prints the address as a number of this machine, whose bytes lie the other way round on all machines that matter.
  const digits = Buffer.from(address).reverse().toString('hex').toUpperCase()
  const tcp = linesWith('/proc/net/tcp', digits).filter((words) => words[3] === TCP_LISTEN)
  const bound = [...tcp, ...linesWith('/proc/net/udp', digits)].filter((words) => words[1]?.startsWith(`${digits}:`))
  return new Map(bound.map((words) => [words[9] ?? '', Number.parseInt(words[1]?.slice(digits.length + 1) ?? '', 16)]))
}

/**
 * Reads the lines in which the address may stand. Columns: number, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode.
 */
function linesWith(table: string, digits: string): readonly (readonly string[])[] {
  try {
    const text = readFileSync(table, 'latin1')
    // A busy machine has ten thousand lines, and usually none of them is meant.
    if (!text.includes(` ${digits}:`)) return []
    return text
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
  } catch {
    return [] // A kernel without this protocol.
  }
}

async function listenersOf(pid: number, ports: ReadonlyMap<string, number>): Promise<readonly Listener[]> {
  const port = descriptorsOf(pid)
    .map((target) => ports.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? ''))
    .find((each) => each !== undefined)
  const process_ = port === undefined ? undefined : readProcess(pid)
  return port === undefined || process_ === undefined ? [] : [{ ...process_, port, tag: await readTag(pid) }]
}

function descriptorsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`))
  } catch {
    return [] // Gone, or not ours to look into.
  }
}
