import { writeFile } from 'node:fs/promises'
import { describeError } from '../../errors/ha-error.ts'
import type { LogicalAddress } from '../../model/cluster-config.ts'
import type { ProbeAnswer } from '../../model/network.ts'
import type { Links } from '../../ports/links.ts'
import type { AddressMove, AddressMoved, GroupPlace, PublicAdapters } from '../../ports/public-adapters.ts'
import { listAdapters } from '../address/address-table.ts'
import { AGAIN_AFTER_MS, Announcer } from '../address/announce-again.ts'
import type { DriverHost } from '../driver-host.ts'
import { driverTag } from '../processes.ts'
import { createRunCommand, type RunCommand } from '../run-command.ts'
import { askAround } from './ask-around.ts'
import { GroupPlaces } from './group-places.ts'
import { type LinksOptions, watchLinks } from './links.ts'
import { announceAll, moveAddresses } from './move-addresses.ts'
import { keyOfAddress, type OwnPlace, readOwnPlace } from './own-addresses.ts'

type Host = Pick<DriverHost, 'scope' | 'effects'>

/** The public adapters of this host, with the places that `groupedAddresses` asks. Used until `close`. */
export class RealPublicAdapters implements PublicAdapters {
  readonly places = new GroupPlaces()
  readonly #host: Host
  readonly #options: LinksOptions
  readonly #run: RunCommand
  readonly #announcer: Announcer
  readonly #closing = new AbortController()
  readonly #remembered = new Map<string, OwnPlace>()
  #links: Links | undefined

  constructor(host: Host, options: LinksOptions) {
    this.#host = host
    this.#options = options
    // Tagged like the driver of addresses: whoever ends what this host had under way must end a move as well.
    this.#run = createRunCommand({ effects: host.effects, tag: driverTag(host.scope, 'addresses') })
    this.#announcer = new Announcer(host.effects, AGAIN_AFTER_MS)
  }

  /** A host without networks that are looked at needs no watch: it begins with the first question. */
  get links(): Links {
    this.#links ??= watchLinks(this.#host, this.#options)
    return this.#links
  }

  setGroups(groups: readonly GroupPlace[]): void {
    this.places.set(groups)
  }

  async findCarrier(addresses: readonly string[], adapters: readonly string[]): Promise<string | undefined> {
    const keys = new Set(addresses.map((address) => keyOfAddress({ address })))
    const all = await listAdapters(this.#run, this.#closing.signal).catch(() => [])
    const counts = adapters.map((name) => {
      const found = all.find((adapter) => adapter.name === name)?.addresses.filter(({ key }) => keys.has(key))
      return { name, count: found?.length ?? 0 }
    })
    const [most] = counts.toSorted((a, b) => b.count - a.count)
    return most === undefined || most.count === 0 ? undefined : most.name
  }

  async ask(adapter: string, addresses: readonly string[], waitMs: number): Promise<ProbeAnswer> {
    const { signal } = this.#closing
    const link = this.links.adapters()?.get(adapter)
    if (link === undefined) return 'unanswered'
    try {
      return await askAround(this.#run, { link, addresses, waitMs, signal })
    } catch (error) {
      // A question that cannot be asked says nothing about the network. On an adapter that has just gone down it is the link that tells.
      if (!signal.aborted && link.isUp && this.links.adapters()?.get(adapter)?.isUp === true)
        this.#options.warn(`nobody can be asked over ${adapter}: ${describeError(error)}`)
      return 'nobody-to-ask'
    }
  }

  async separate(adapters: readonly string[]): Promise<void> {
    for (const adapter of adapters) await separateOne(adapter).catch(() => undefined) // An adapter that is not there (yet).
  }

  async remember(adapter: string, logical: readonly LogicalAddress[]): Promise<void> {
    const asked = { adapter, logical, signal: this.#closing.signal }
    const own = await readOwnPlace(this.#run, asked).catch(() => undefined)
    if (own !== undefined && own.addresses.length > 0) this.#remembered.set(adapter, own)
  }

  async move(order: AddressMove, signal: AbortSignal): Promise<AddressMoved> {
    const parts = { run: this.#run, places: this.places, remembered: this.#remembered.get(order.from) }
    const moved = await moveAddresses(order, parts, AbortSignal.any([signal, this.#closing.signal]))
    this.#announcer.start(order.to, (ended) => this.#announceAgain(order.to, moved.moved, ended))
    return moved
  }

  async close(): Promise<void> {
    this.#announcer.stopAll()
    this.#closing.abort(new Error('closed'))
    await this.#links?.close()
  }

  /** This host must never announce what it has not: the guard may have taken it down, or a step. */
  async #announceAgain(to: string, moved: readonly string[], signal: AbortSignal): Promise<boolean> {
    const adapter = (await listAdapters(this.#run, signal)).find(({ name }) => name === to)
    const there = new Set(adapter?.addresses.map(({ key }) => key))
    const still = moved.filter((text) => there.has(keyOfAddress({ address: text })))
    if (adapter === undefined || still.length === 0) return false
    await announceAll(
      this.#run,
      adapter,
      still.map((text) => ({ text })),
      signal,
    )
    return true
  }
}

/** RFC 1122 lets a host answer on any adapter for any of its addresses; with two adapters on one network clients would learn the wrong one. */
async function separateOne(adapter: string): Promise<void> {
  const place = `/proc/sys/net/ipv4/conf/${adapter}`
  await writeFile(`${place}/arp_ignore`, '1')
  await writeFile(`${place}/arp_announce`, '2')
}
