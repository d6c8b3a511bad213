import { describeInterface, describeNetwork } from '../../membership/describe-networks.ts'
import { carriesHeartbeats } from '../../membership/heartbeats.ts'
import type { NetworkVerdict } from '../../membership/networks.ts'
import type { NetworkStatusJson } from '../wire.ts'

/** Shows the networks that carry heartbeats, and those that logical addresses are on; a network for both is in both lists. */
export function viewNetworks(verdicts: readonly NetworkVerdict[]): {
  readonly privateNetworks: readonly NetworkStatusJson[]
  readonly publicNetworks: readonly NetworkStatusJson[]
} {
  const shown = verdicts.map((verdict) => ({ role: verdict.network.role, json: viewNetwork(verdict, verdicts) }))
  return {
    privateNetworks: shown.filter(({ role }) => carriesHeartbeats(role)).map(({ json }) => json),
    publicNetworks: shown.filter(({ role }) => !carriesHeartbeats(role) || role === 'both').map(({ json }) => json),
  }
}

function viewNetwork(verdict: NetworkVerdict, all: readonly NetworkVerdict[]): NetworkStatusJson {
  const { network, state, interfaces } = verdict
  return {
    name: network.name,
    role: network.role,
    state,
    sentence: describeNetwork(verdict, all),
    interfaces: interfaces.map((one) => ({
      host: one.host,
      adapter: one.adapter,
      address: one.address,
      state: one.state,
      sentence: describeInterface(one),
    })),
  }
}
