/** An IP address in canonical text, or why it cannot be one. */
export type ParsedAddress =
  | {
      readonly kind: 'ip'
      readonly address: string
      readonly family: 4 | 6
      readonly prefixLength: number
      readonly isLoopback: boolean
    }
  | { readonly kind: 'not-an-ip' }
  | { readonly kind: 'unusable'; readonly why: string }

/** Takes `ADDRESS` or `ADDRESS/PREFIX` apart; without a prefix it is that of a host address (32 or 128). */
export function parseAddress(text: string): ParsedAddress {
  const slash = text.indexOf('/')
  const bare = slash < 0 ? text : text.slice(0, slash)
  const canonical = canonicalIp(bare)
  if (canonical === undefined) return { kind: 'not-an-ip' }
  const bits = canonical.family === 4 ? 32 : 128
  const prefixLength = slash < 0 ? bits : parsePrefix(text.slice(slash + 1))
  if (!(prefixLength >= 1 && prefixLength <= bits)) {
    return { kind: 'unusable', why: `the prefix of ${text} is not a number from 1 to ${bits}` }
  }
  const why = whyUnusable(canonical)
  if (why !== undefined) return { kind: 'unusable', why: `${canonical.address} is ${why}` }
  const isLoopback = canonical.family === 4 && canonical.address.startsWith('127.')
  return { kind: 'ip', ...canonical, prefixLength, isLoopback }
}

interface Ip {
  readonly address: string
  readonly family: 4 | 6
}

// No leading zeros: some programs read them as octal, and the same text would be two addresses.
const BYTE = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = new RegExp(`^${BYTE}(\\.${BYTE}){3}$`)

function canonicalIp(text: string): Ip | undefined {
  if (IPV4.test(text)) return { address: text, family: 4 }
  if (!/^[0-9A-Fa-f:.]+$/.test(text) || !text.includes(':')) return undefined
  // The parser of URLs writes IPv6 addresses as RFC 5952 asks: small letters, the longest run of zeros left out.
  return URL.canParse(`http://[${text}]/`)
    ? { address: new URL(`http://[${text}]/`).hostname.slice(1, -1), family: 6 }
    : undefined
}

function parsePrefix(text: string): number {
  return /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
}

/** Addresses that cannot float: nobody answers for them, or everybody does. */
function whyUnusable({ address, family }: Ip): string | undefined {
  if (family === 6) return whyUnusableV6(address)
  const first = Number(address.split('.')[0])
  if (first === 0) return 'no address of a host'
  if (first >= 224) return 'a multicast, reserved or broadcast address'
  return undefined
}

function whyUnusableV6(address: string): string | undefined {
  if (address === '::' || address === '::1') return 'no address that can move'
  if (address.startsWith('ff')) return 'a multicast address'
  if (/^fe[89ab]/.test(address)) return 'a link-local address, which means something else on every link'
  if (address.startsWith('::ffff:')) return 'an IPv4 address in the form of IPv6: write it as IPv4'
  return undefined
}
