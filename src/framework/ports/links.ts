/** What the kernel says of one adapter of this host. */
export interface AdapterLink {
  /** Such as `eth0`. */
  readonly name: string
  readonly index: number
  /** Such as `ether` or `loopback`. */
  readonly linkType: string
  /** Its hardware address, as text; empty when it has none. */
  readonly hardware: string
  /** Somebody has switched it on (`ip link set eth0 up`). */
  readonly isOn: boolean
  /** It is on and could carry traffic: carrier, and ready (operational state up, or a driver that does not tell). */
  readonly isUp: boolean
}

/** What one adapter has carried since it was made. */
export interface AdapterTraffic {
  /** Frames that came in well. */
  readonly received: number
  readonly sent: number
}

/**
 * The adapters of this host, as the kernel sees them, and their changes.
 *
 * Promises: a change is known within some hundredths of a second, and within `LINKS_REREAD_MS` when the kernel's notices are lost. Never throws.
 */
export interface Links {
  /** Resolves when the adapters were read once, or cannot be read. */
  readonly ready: Promise<void>
  /** By name; undefined as long as they could not be read once. An adapter that was removed is not in it. */
  adapters(): ReadonlyMap<string, AdapterLink> | undefined
  /** Reads the counters of all adapters, by name. Cheap; empty when they cannot be read. */
  traffic(): ReadonlyMap<string, AdapterTraffic>
  /** Told after each change of `adapters`, until the function that is returned is called. */
  onChange(listener: () => void): () => void
  close(): Promise<void>
}

/** Says in a word what the kernel says of an adapter: one that is not there is down, as long as the others could be read. */
export function linkOf(links: Pick<Links, 'adapters'>, adapter: string): 'up' | 'down' | 'unknown' {
  const adapters = links.adapters()
  if (adapters === undefined) return 'unknown'
  return adapters.get(adapter)?.isUp === true ? 'up' : 'down'
}
