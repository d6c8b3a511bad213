import { readFileSync } from 'node:fs'
import { describeError } from '../../errors/ha-error.ts'
import type { Peers } from '../../ports/peers.ts'
import { silentPeers } from '../../ports/silent-peers.ts'
import { type HeartbeatChannelOptions, openHeartbeatChannel } from './heartbeat-channel.ts'

/** Half of what the key should have is still more than anybody can try; fewer bytes are not a key but a mistake. */
const KEY_BYTES_MIN = 16
const KEY_BYTES_MAX = 4_096

/** Opens the channel with the key in `keyFile`. A host without a key is silent, and says so. */
export function openPeers(keyFile: string, options: Omit<HeartbeatChannelOptions, 'clusterKey'>): Peers {
  try {
    const clusterKey = readFileSync(keyFile)
    if (clusterKey.length < KEY_BYTES_MIN || clusterKey.length > KEY_BYTES_MAX) {
      return silentPeers(`there are no heartbeats: ${keyFile} is no key, it has ${clusterKey.length} bytes`)
    }
    return openHeartbeatChannel({ ...options, clusterKey })
  } catch (error) {
    return silentPeers(`there are no heartbeats, because this host has no key for them: ${describeError(error)}`)
  }
}
