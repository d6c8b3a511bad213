import type { AdapterTests } from '../model/adapter-tests.ts'
import type { GroupSight } from '../model/network.ts'
import type { AdapterVerdict } from './adapter-verdict.ts'

/** What is known about a backup group when it is judged. An adapter that is in no group is a group of its own. */
export interface GroupLook {
  readonly nowMs: number
  /** The adapter that carries the addresses; one of `adapters`. */
  readonly active: string
  /** In order of preference, at least one. */
  readonly adapters: readonly { readonly name: string; readonly verdict: AdapterVerdict }[]
  /** What the other members say of their groups on the same network; empty when none of them is on it. */
  readonly others: readonly GroupSight['state'][]
  /** What was said last of this group. */
  readonly before: GroupSight['state']
  /** Since when no adapter of it works; undefined: one did at the last judgement. */
  readonly allBadSinceMs: number | undefined
}

/** What becomes of a group. */
export interface GroupVerdict {
  readonly state: GroupSight['state']
  /** The adapter that is to carry the addresses now. */
  readonly active: string
  readonly faulty: readonly string[]
  readonly allBadSinceMs: number | undefined
}

/**
 * Judges a group. An adapter is faulty when its link is down, or when it is silent while the network lives: for another adapter of the group, or for
 * another host. If that cannot be told (all are silent, and so are the others), the network is taken as down, and nothing moves. A repaired adapter waits
 * its turn: addresses move when they must, not back because they could.
 */
export function groupVerdict(look: GroupLook, tests: AdapterTests): GroupVerdict {
  const verdicts = new Map(look.adapters.map(({ name, verdict }) => [name, verdict]))
  const active = verdicts.has(look.active) ? look.active : (look.adapters[0]?.name ?? look.active)
  const linkDown = namesOf(look, 'link-down')
  const verdict = verdicts.get(active) ?? 'link-down'
  switch (verdict) {
    case 'ok':
    case 'testing':
      return { state: 'ok', active, faulty: bad(look), allBadSinceMs: undefined }
    case 'recovering':
      return { state: trusted(look.before), active, faulty: linkDown, allBadSinceMs: undefined }
    case 'doubtful':
      return { state: stillDoubtful(look.before), active, faulty: linkDown, allBadSinceMs: undefined }
    case 'silent':
    case 'link-down': {
      const next = successor(look, verdict)
      if (next !== undefined) {
        const isTrusted = verdicts.get(next) !== 'recovering'
        return {
          state: isTrusted ? 'ok' : trusted(look.before),
          active: next,
          faulty: bad(look),
          allBadSinceMs: undefined,
        }
      }
      const { state, allBadSinceMs } = whenNothingWorks(look, tests)
      return { state, active, faulty: state === 'failed' ? bad(look) : linkDown, allBadSinceMs }
    }
  }
}

/** Those that may carry the addresses instead, the best first. What is doubtful is better than a link that is down, but no better than silence. */
const BETTER: Readonly<Record<'silent' | 'link-down', readonly AdapterVerdict[]>> = {
  silent: ['ok'],
  'link-down': ['ok', 'testing', 'recovering', 'doubtful'],
}

function successor(look: GroupLook, verdict: 'silent' | 'link-down'): string | undefined {
  for (const better of BETTER[verdict]) {
    const [found] = namesOf(look, better)
    if (found !== undefined) return found
  }
  return undefined
}

function whenNothingWorks(look: GroupLook, { compareMs }: AdapterTests): Pick<GroupVerdict, 'state' | 'allBadSinceMs'> {
  const isUndecided = look.adapters.some(({ verdict }) => verdict === 'doubtful' || verdict === 'testing')
  const allBadSinceMs = look.allBadSinceMs ?? look.nowMs
  const waitedMs = look.nowMs - allBadSinceMs
  if (isUndecided) return { state: stillDoubtful(look.before), allBadSinceMs: undefined }
  // The others find out a moment earlier or later that it is over; nobody is to be blamed, or trusted, for that moment.
  if (waitedMs < compareMs) return { state: stillDoubtful(look.before), allBadSinceMs }
  if (look.others.includes('ok')) return { state: 'failed', allBadSinceMs }
  if (look.others.includes('doubtful') && waitedMs < COMPARES_MAX * compareMs)
    return { state: stillDoubtful(look.before), allBadSinceMs }
  const isIsolated = look.adapters.every((adapter) => adapter.verdict === 'link-down')
  return { state: isIsolated && look.others.length === 0 ? 'failed' : 'network-down', allBadSinceMs }
}

/** A host that never gets beyond doubt (it may be in trouble itself) is waited for this many times as long, and then not asked. */
const COMPARES_MAX = 4

/** What has just come back ends a doubt, and no verdict. */
function trusted(before: GroupSight['state']): GroupSight['state'] {
  return before === 'doubtful' ? 'ok' : before
}

/** Doubt does not make a verdict better that was reached before: a group that was failed has failed until it works. */
function stillDoubtful(before: GroupSight['state']): GroupSight['state'] {
  return before === 'failed' || before === 'network-down' ? before : 'doubtful'
}

function bad(look: GroupLook): readonly string[] {
  return look.adapters.filter(({ verdict }) => verdict === 'link-down' || verdict === 'silent').map(({ name }) => name)
}

function namesOf(look: GroupLook, wanted: AdapterVerdict): readonly string[] {
  return look.adapters.filter(({ verdict }) => verdict === wanted).map(({ name }) => name)
}
