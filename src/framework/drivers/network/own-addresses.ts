import type { LogicalAddress } from '../../model/cluster-config.ts'
import { type AdapterAddress, listAdapters } from '../address/address-table.ts'
import { addressBytes } from '../address/frames.ts'
import type { RunCommand } from '../run-command.ts'

/** What is the host's own on an adapter: what it has when Haven does nothing. */
export interface OwnPlace {
  readonly addresses: readonly AdapterAddress[]
  /** Words of `ip route` for each route over the adapter that somebody configured, without the adapter. */
  readonly routes: readonly OwnRoute[]
}

interface OwnRoute {
  readonly family: 4 | 6
  readonly words: readonly string[]
}

/** The bytes of an address as hexadecimal digits: text has many forms. */
export function keyOfAddress({ address }: Pick<LogicalAddress, 'address'>): string {
  return addressBytes(address)?.toString('hex') ?? address
}

/** Reads what is the host's own on an adapter. Rejects with `CommandError`. */
export async function readOwnPlace(
  run: RunCommand,
  asked: { readonly adapter: string; readonly logical: readonly LogicalAddress[]; readonly signal: AbortSignal },
): Promise<OwnPlace> {
  const { adapter, logical, signal } = asked
  const isLogical = new Set(logical.map(keyOfAddress))
  const [adapters, ...routes] = await Promise.all([
    listAdapters(run, signal),
    readRoutes(run, 4, adapter, signal),
    readRoutes(run, 6, adapter, signal),
  ])
  const addresses = adapters.find(({ name }) => name === adapter)?.addresses ?? []
  return {
    addresses: addresses.filter((address) => !isLogical.has(address.key) && !isLinkLocal(address)),
    routes: routes.flat(),
  }
}

/** The kernel makes these itself, for each adapter its own. */
function isLinkLocal({ key }: AdapterAddress): boolean {
  return key.length === 32 && /^fe[89ab]/.test(key)
}

async function readRoutes(
  run: RunCommand,
  family: 4 | 6,
  adapter: string,
  signal: AbortSignal,
): Promise<readonly OwnRoute[]> {
  const words = ['ip', `-${family}`, '-json', 'route', 'show', 'dev', adapter] as const
  const { stdout } = await run(words, { signal, accept: [0, NO_SUCH_ADAPTER] })
  return parseRoutes(stdout).map((route) => ({ family, words: route }))
}

const NO_SUCH_ADAPTER = 1

/** Of these the kernel or a router takes care again by itself as soon as the address is on the other adapter. */
const MADE_BY_THEMSELVES = new Set(['kernel', 'ra', 'redirect'])

/** Parses `ip -json route show dev X` into the words that make the routes again over another adapter. */
export function parseRoutes(text: string): readonly (readonly string[])[] {
  const parsed: unknown = text.trim() === '' ? [] : JSON.parse(text)
  if (!Array.isArray(parsed)) return []
  return parsed.flatMap((route: Readonly<Record<string, unknown>>) => {
    const { dst, protocol } = route
    if (typeof dst !== 'string' || MADE_BY_THEMSELVES.has(String(protocol))) return []
    const option = (word: string, value: unknown): readonly string[] =>
      typeof value === 'string' || typeof value === 'number' ? [word, String(value)] : []
    return [
      [
        ...(typeof route['type'] === 'string' ? [route['type']] : []),
        dst,
        ...option('via', route['gateway']),
        ...option('src', route['prefsrc']),
        ...option('metric', route['metric']),
        ...option('proto', protocol),
        ...option('scope', route['scope']),
      ],
    ]
  })
}
