import type { ClusterConfig } from './cluster-config.ts'

/**
 * What holds until `scconf` says otherwise, and for the record of a cluster that an older version made. 250 ms: five heartbeats in a row over every
 * network at once, from a thread that nothing else can stall. A third of the hosts within ten minutes: whoever wants to fence more is more likely to be
 * wrong itself. No
 * delay: that two hosts fence each other is excluded by the commit before a fence, and the delay would be waited for after each loss of the better host.
 */
export const LATER_DEFAULTS: Pick<ClusterConfig, 'heartbeats' | 'fencing' | 'rejoins'> = {
  heartbeats: { intervalMs: 50, suspectMs: 250 },
  fencing: { shareMax: 0.34, windowMs: 600_000, delayMs: 0, statusEveryMs: 60_000 },
  rejoins: { rejoinsMax: 0, windowMs: 3_600_000 },
}
