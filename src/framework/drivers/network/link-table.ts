import type { AdapterLink, AdapterTraffic } from '../../ports/links.ts'

/** Parses the output of `ip -json link`, by name. What it does not know it leaves out. */
export function parseLinks(text: string): ReadonlyMap<string, AdapterLink> {
  const parsed: unknown = text.trim() === '' ? [] : JSON.parse(text)
  const records = Array.isArray(parsed) ? parsed : []
  return new Map(records.flatMap((record) => parseLink(record) ?? []).map((link) => [link.name, link]))
}

function parseLink(record: Readonly<Record<string, unknown>> | null): AdapterLink | undefined {
  const { ifname: name, ifindex: index, link_type: linkType, address, operstate, flags } = record ?? {}
  if (typeof name !== 'string' || typeof index !== 'number') return undefined
  const has = (flag: string): boolean => Array.isArray(flags) && flags.includes(flag)
  const isOn = has('UP')
  // LOWER_UP alone is not enough: a virtual adapter whose other end is switched off keeps it for a moment beside NO-CARRIER.
  const hasCarrier = has('LOWER_UP') && !has('NO-CARRIER')
  // DORMANT: the adapter waits for something, such as its authentication; UNKNOWN: a driver that never says.
  const isReady = operstate === 'UP' || operstate === 'UNKNOWN'
  return {
    name,
    index,
    linkType: typeof linkType === 'string' ? linkType : '',
    hardware: typeof address === 'string' ? address : '',
    isOn,
    isUp: isOn && hasCarrier && isReady,
  }
}

/** Parses `/proc/net/dev`: two lines of headings, then for each adapter eight counters of what came in and eight of what went out. */
export function parseTraffic(text: string): ReadonlyMap<string, AdapterTraffic> {
  const traffic = new Map<string, AdapterTraffic>()
  for (const line of text.split('\n')) {
    const colon = line.lastIndexOf(':')
    if (colon < 0) continue
    const counters = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number)
    const received = counters[1]
    const sent = counters[9]
    if (!Number.isSafeInteger(received) || !Number.isSafeInteger(sent)) continue
    traffic.set(line.slice(0, colon).trim(), { received: received ?? 0, sent: sent ?? 0 })
  }
  return traffic
}

/** Whether two readings say the same of every adapter. */
export function isSame(a: ReadonlyMap<string, AdapterLink>, b: ReadonlyMap<string, AdapterLink>): boolean {
  if (a.size !== b.size) return false
  return [...a.values()].every((link) => {
    const other = b.get(link.name)
    return (
      other !== undefined &&
      link.index === other.index &&
      link.hardware === other.hardware &&
      link.isOn === other.isOn &&
      link.isUp === other.isUp
    )
  })
}
