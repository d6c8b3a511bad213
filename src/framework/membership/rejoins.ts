import type { RejoinLimits, Rejoins } from '../model/fencing.ts'

/** Whether a host may join by itself, and what to remember when it does. */
export type RejoinVerdict =
  /** It left in an orderly way, or its life ended together with the whole cluster. */
  | { readonly kind: 'free' }
  /** It was lost while the cluster went on, and may come back by itself once more; `byItselfWallMs` with this time. */
  | { readonly kind: 'counted'; readonly byItselfWallMs: readonly number[] }
  | { readonly kind: 'refused'; readonly used: number }

/**
 * Judges a host that wants to join although nobody said so. `isLost`: its last life ended without leaving, while other members lived on. A host whose
 * cluster lost its power as a whole is not lost: then nobody was there to give it up, and all hosts come back by themselves.
 */
export function rejoinVerdict(
  { isLost, before }: { readonly isLost: boolean; readonly before: Rejoins | undefined },
  nowWallMs: number,
  limits: RejoinLimits,
): RejoinVerdict {
  if (!isLost) return { kind: 'free' }
  const within = (before?.byItselfWallMs ?? []).filter((at) => nowWallMs - at < limits.windowMs)
  if (within.length >= limits.rejoinsMax) return { kind: 'refused', used: within.length }
  return { kind: 'counted', byItselfWallMs: [...within, nowWallMs].slice(-limits.rejoinsMax) }
}
