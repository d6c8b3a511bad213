import { type UnmasteredWhy, uncleanOf } from '../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { Step } from '../model/step.ts'
import type { Choice } from './choose-master.ts'
import type { Draft } from './draft.ts'
import { addAdjust, addGiveUp, addTakeOn, addWatchStart, addWatchStop } from './halves.ts'

// Every change of mastery that the planner makes is one of these. Each adds the halves that belong to it, so none can be forgotten.

/** Begins a move: `from` gives up now; `to` takes on once that is committed as released. */
export function moveTo(draft: Draft, name: LogicalHostName, from: PhysicalHostName, to: Choice): void {
  addWatchStop(draft, name, from, draft.servicesRunning(name))
  addGiveUp(draft, name, from)
  draft.become(name, {
    kind: 'givingUp',
    by: from,
    destination: { kind: 'to', host: to.host },
    uncleanOn: uncleanOf(draft.state(name).mastery),
  })
  settleOn(draft, name, to)
  // What lost hosts before may still have of it nobody proves.
  addTakeOn(draft, name, to.host, { isReleased: uncleanOf(draft.state(name).mastery).length === 0 })
  addWatchStart(draft, name)
}

/** Begins a give-up after which nobody masters the logical host. */
export function giveUp(draft: Draft, name: LogicalHostName, from: PhysicalHostName, why: UnmasteredWhy): void {
  addWatchStop(draft, name, from, draft.servicesRunning(name))
  addGiveUp(draft, name, from)
  draft.become(name, {
    kind: 'givingUp',
    by: from,
    destination: { kind: 'nobody', why },
    uncleanOn: uncleanOf(draft.state(name).mastery),
  })
  draft.remember(name, { without: [], switchbackTo: null })
}

/** Begins a take-on of what nobody holds, or of what a lost host held: `uncleanOn` says by whom its disk groups may still be imported. */
export function takeOn(
  draft: Draft,
  name: LogicalHostName,
  to: Choice,
  uncleanOn: readonly PhysicalHostName[],
  how: { readonly first?: readonly Step[]; readonly isReleased?: boolean } = {},
): void {
  draft.become(name, { kind: 'takingOn', by: to.host, uncleanOn })
  settleOn(draft, name, to)
  addTakeOn(draft, name, to.host, how)
  addWatchStart(draft, name)
}

/** Remembers what holds once it is mastered there: without which services, and whether a switchback is still owed. */
function settleOn(draft: Draft, name: LogicalHostName, { host, without }: Choice): void {
  const { switchbackTo } = draft.state(name)
  draft.remember(name, { without, switchbackTo: switchbackTo === host ? null : switchbackTo })
}

/** Leaves a logical host that nobody holds without a master. */
export function leaveUnmastered(
  draft: Draft,
  name: LogicalHostName,
  why: UnmasteredWhy,
  uncleanOn: readonly PhysicalHostName[],
): void {
  draft.become(name, { kind: 'unmastered', why, uncleanOn })
  draft.remember(name, { without: [], switchbackTo: null })
}

/** Begins a change of services in place, on the present master. */
export function adjust(draft: Draft, name: LogicalHostName, master: PhysicalHostName, steps: readonly Step[]): void {
  draft.become(name, { kind: 'adjusting', by: master })
  addAdjust(draft, name, master, steps)
  addWatchStart(draft, name)
}

/** Forgets what failed before, because an operator acts: everything may be tried again, everywhere. */
export function forgetFailures(draft: Draft, name: LogicalHostName): void {
  draft.remember(name, { startFailures: [], takeOnFailures: [], takeoversWallMs: [], switchbackTo: null })
}
