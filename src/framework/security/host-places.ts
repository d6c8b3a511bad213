import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsPlace } from './call-over-tls.ts'

/** Places that are kept, at most: a few hosts are enough to ask. */
const PLACES_MAX = 32

/** Reads where a witness can ask hosts of its cluster, in order of preference; empty when that is not known. */
export function readHostPlaces(root: string): readonly TlsPlace[] {
  try {
    const lines = readFileSync(pathOf(root), 'utf8').split('\n')
    return lines.flatMap((line) => parsePlace(line) ?? [])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Keeps where hosts can be asked: `ADDRESS:PORT`, `[IPV6]:PORT`. */
export function writeHostPlaces(root: string, places: readonly string[]): void {
  const known = places.filter((place) => parsePlace(place) !== undefined).slice(0, PLACES_MAX)
  const path = pathOf(root)
  writeFileSync(`${path}.new`, `${known.join('\n')}\n`, { flush: true })
  renameSync(`${path}.new`, path)
}

/** Writes a place as `ADDRESS:PORT`. */
export function writePlace({ address, port }: TlsPlace): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function parsePlace(text: string): TlsPlace | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? []
  const address = bracketed ?? plain
  return address === undefined ? undefined : { address, port: Number(digits) }
}

function pathOf(root: string): string {
  return join(root, 'etc/haven/hosts')
}
