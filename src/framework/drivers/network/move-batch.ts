import type { AdapterAddress } from '../address/address-table.ts'
import type { OwnPlace } from './own-addresses.ts'

/** An address that is to be on the other adapter afterwards. */
export interface Moving {
  readonly key: string
  readonly text: string
  readonly prefixLength: number
  /** A logical one: not to be chosen for connections that the host makes for itself. */
  readonly isLogical: boolean
}

/** The commands of one family for `ip -batch`: away from where they are, then to the other adapter, then the routes that went with them. */
export function moveBatch(
  family: 4 | 6,
  move: {
    readonly to: string
    readonly moving: readonly Moving[]
    /** What is up now, with its adapter. */
    readonly present: readonly { readonly adapter: string; readonly address: AdapterAddress }[]
    readonly own: OwnPlace
  },
): readonly string[] {
  const isOfFamily = ({ key }: { readonly key: string }): boolean => key.length === (family === 4 ? 8 : 32)
  const keys = new Set(move.moving.map(({ key }) => key))
  const away = move.present.filter(
    ({ adapter, address }) => adapter !== move.to && keys.has(address.key) && isOfFamily(address),
  )
  const there = new Set(move.present.filter(({ adapter }) => adapter === move.to).map(({ address }) => address.key))
  const coming = move.moving.filter((moving) => isOfFamily(moving) && !there.has(moving.key))
  return [
    ...away.map(({ adapter, address }) => `addr del ${address.text}/${address.prefixLength} dev ${adapter}`),
    // This host's own first: the first address of a network is the one that it speaks from.
    ...coming
      .toSorted((a, b) => Number(a.isLogical) - Number(b.isLogical))
      .map((moving) => `addr replace ${moving.text}/${moving.prefixLength} ${wordsOf(moving, family)}dev ${move.to}`),
    ...move.own.routes
      .filter((route) => route.family === family)
      .map(({ words }) => `route replace ${words.join(' ')} dev ${move.to}`),
  ]
}

/** As the driver of logical addresses does it; this host has had them all along, so nobody is asked again. */
function wordsOf({ isLogical, prefixLength }: Moving, family: 4 | 6): string {
  if (family === 6) return isLogical ? 'nodad preferred_lft 0 ' : 'nodad '
  return prefixLength < 31 ? 'broadcast + ' : ''
}
