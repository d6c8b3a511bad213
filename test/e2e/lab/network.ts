/** A network of a lab: a bridge of its own. */
export type LabNetwork = 'pub' | 'priv1' | 'priv2'

/** One adapter of a host, and what it is plugged into. */
export interface LabAdapter {
  readonly name: string
  readonly network: LabNetwork
}

/** Every host has these adapters on a network; `spare`: a second one on the public network, for backup groups. */
export function adaptersOn(networks: readonly LabNetwork[], { spare = false } = {}): readonly LabAdapter[] {
  const each = networks.map((network) => ({ name: network, network }))
  return spare ? [...each, { name: 'pub2', network: 'pub' }] : each
}

const SUBNETS: Readonly<Record<LabNetwork, number>> = { pub: 0, priv1: 1, priv2: 2 }

/** The address of the machine with this number on a network of a lab. */
export function addressOn(network: LabNetwork, number: number): string {
  return `10.77.${SUBNETS[network]}.${number}`
}

/** Its hardware address there; `index`: which of its adapters, from 0. */
export function hardwareOf(index: number, number: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0')
  return `02:77:00:00:${hex(index)}:${hex(number)}`
}
