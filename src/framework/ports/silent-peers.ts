import type { Peers } from './peers.ts'

/** Returns peers that are never heard: for a host without a private network, or without the cluster's key. `why`: what `troubles` says. */
export function silentPeers(why?: string): Peers {
  return {
    configure: async () => undefined,
    send: () => undefined,
    listen: () => undefined,
    heard: () => [],
    listeningSinceMs: () => Number.POSITIVE_INFINITY,
    onChange: () => () => undefined,
    troubles: () => (why === undefined ? [] : [why]),
    close: async () => undefined,
  }
}
