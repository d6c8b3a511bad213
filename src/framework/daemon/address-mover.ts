import type { LogicalAddress } from '../model/cluster-config.ts'
import { actorOf, masterOf } from '../model/mastery.ts'
import { adapterOf } from '../plan/steps.ts'
import type { PublicAdapters } from '../ports/public-adapters.ts'
import { groupNamed, type PublicGroup } from '../supervise/public-groups.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import type { Host } from './host.ts'

/** Moves the addresses of a group from one adapter of this host to another: those that this host may have, as long as it may act. */
export class AddressMover {
  readonly #host: Host
  readonly #deadline: DeadlineKeeper
  #told = ''

  constructor(host: Host, deadline: DeadlineKeeper) {
    this.#host = host
    this.#deadline = deadline
  }

  /** The logical addresses that are on a group on this host when it masters them, whoever has them now. */
  addressesOf(group: PublicGroup): readonly LogicalAddress[] {
    return this.allAddresses().filter((address) => this.#isOn(group, address))
  }

  allAddresses(): readonly LogicalAddress[] {
    return [...this.#host.state().logicalHosts.values()].flatMap(({ addresses }) => addresses)
  }

  /** `again`: something is not where it should be yet. */
  async move(
    adapters: PublicAdapters,
    { group, from, to }: { readonly group: PublicGroup; readonly from: string; readonly to: string },
  ): Promise<'done' | 'again'> {
    const { parts, life } = this.#host
    // Right before it acts, like every step: the deadline is ahead, and the logical hosts are still this host's.
    const permit = await this.#deadline.permit()
    if (permit.kind === 'forbidden') return 'again'
    const startedMs = parts.effects.nowMonotonicMs()
    const order = { group: group.name, from, to, ...this.#mine(group), logical: this.allAddresses() }
    const { moved, failed, busy } = await adapters.move(order, life.signal)
    if (life.signal.aborted) return 'again'
    const tookMs = Math.round(parts.effects.nowMonotonicMs() - startedMs)
    if (failed.length > 0)
      this.#warnOnce(`addresses of ${group.name} are not where they should be: ${failed.join(', ')}`)
    if (failed.length > 0 || busy.length > 0) return 'again'
    this.#told = ''
    const what = moved.length === 0 ? 'no address' : moved.join(', ')
    parts.log.write({ level: 'info', message: `${what} moved from ${from} to ${to} within ${tookMs} ms` })
    return 'done'
  }

  /** What is mastered here must be there; where a half is under way, its steps say what is up, and only what is up goes along. */
  #mine(group: PublicGroup): {
    readonly addresses: readonly LogicalAddress[]
    readonly ifThere: readonly LogicalAddress[]
  } {
    const { host } = this.#host.parts
    const { states, logicalHosts } = this.#host.state()
    const held = [...states.values()].filter(({ mastery }) => actorOf(mastery) === host)
    const addressesOf = (isMastered: boolean): readonly LogicalAddress[] =>
      held
        .filter(({ mastery }) => (masterOf(mastery) === host) === isMastered)
        .flatMap(({ name }) => logicalHosts.get(name)?.addresses ?? [])
        .filter((address) => this.#isOn(group, address))
    return { addresses: addressesOf(true), ifThere: addressesOf(false) }
  }

  #isOn(group: PublicGroup, address: LogicalAddress): boolean {
    return address.kind === 'ip' && groupNamed([group], adapterOf(address, this.#host.parts.host)) !== undefined
  }

  #warnOnce(message: string): void {
    if (message === this.#told) return
    this.#told = message
    this.#host.parts.log.write({ level: 'warn', message })
  }
}
