import type { RunCommand } from '../run-command.ts'
import { shareLook } from '../share-look.ts'
import { addressBytes } from './frames.ts'

/** An adapter of this host with its addresses, from `ip -json addr`. */
export interface Adapter {
  readonly name: string
  readonly index: number
  /** Such as `ether` or `loopback`. */
  readonly linkType: string
  /** Its hardware address, as text; empty when it has none. */
  readonly hardware: string
  /** Such as `UP`, `LOWER_UP` (carrier), `NOARP`. */
  readonly flags: readonly string[]
  readonly addresses: readonly AdapterAddress[]
}

export interface AdapterAddress {
  /** The bytes as hexadecimal digits: text has many forms. */
  readonly key: string
  readonly text: string
  readonly prefixLength: number
  /** IPv4: another address of the network was there before. Without `promote_secondaries` it goes with that one. */
  readonly isSecondary: boolean
  /** IPv6: the kernel found somebody else with it, and does not use it. */
  readonly isDuplicate: boolean
}

/** The program answers in milliseconds; one that hangs must not keep all who ask later. */
const LOOK_MS_MAX = 5_000

/** Lists the adapters of this network namespace with their addresses. */
export async function listAdapters(run: RunCommand, signal: AbortSignal): Promise<readonly Adapter[]> {
  const { stdout } = await run(['ip', '-json', 'addr', 'show'], { signal, timeoutMs: LOOK_MS_MAX })
  return parseAdapters(stdout)
}

/** Lists the adapters. Rejects with the signal's reason, or what the program said. */
export type AdapterList = (signal: AbortSignal) => Promise<readonly Adapter[]>

/** Makes a list that is read once for all who ask at the same time: twenty addresses that move together cost two looks instead of twenty. */
export function createAdapterList(read: AdapterList): AdapterList {
  const never = new AbortController().signal
  const look = shareLook(() => read(never))
  return async (signal) => {
    signal.throwIfAborted()
    const over = new AbortController()
    const givenUp = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over.signal })
    })
    try {
      return await Promise.race([look(), givenUp])
    } finally {
      over.abort()
    }
  }
}

/** Parses the output of `ip -json addr`. What it does not know it leaves out. */
export function parseAdapters(text: string): readonly Adapter[] {
  const parsed: unknown = text.trim() === '' ? [] : JSON.parse(text)
  return records(parsed).flatMap((link) => {
    const { ifname: name, ifindex: index } = link
    if (typeof name !== 'string' || typeof index !== 'number') return []
    const flags = Array.isArray(link['flags']) ? link['flags'].map(String) : []
    const addresses = records(link['addr_info']).flatMap((info) => parseAddress(info) ?? [])
    return [{ name, index, linkType: textOf(link['link_type']), hardware: textOf(link['address']), flags, addresses }]
  })
}

function parseAddress(info: Readonly<Record<string, unknown>>): AdapterAddress | undefined {
  const text = textOf(info['local'])
  const key = addressBytes(text)?.toString('hex')
  const prefixLength = info['prefixlen']
  if (key === undefined || typeof prefixLength !== 'number') return undefined
  return { key, text, prefixLength, isSecondary: info['secondary'] === true, isDuplicate: info['dadfailed'] === true }
}

function records(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return []
  return value.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
