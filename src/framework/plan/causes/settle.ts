import { type UnmasteredWhy, uncleanOf } from '../../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import { chooseMaster, isAble } from '../choose-master.ts'
import type { Draft } from '../draft.ts'
import { giveUp, leaveUnmastered, moveTo, takeOn } from '../moves.ts'
import { isSwitchbackDue, switchBackLater } from './switchback.ts'

/** Brings everything that is at rest, but not where it should be, under way. Planning it twice does no harm: the second time there is nothing to do. */
export function settleAll(draft: Draft): void {
  for (const name of draft.before.logicalHosts.keys()) settle(draft, name)
}

/** Whether a logical host is at rest, but not where it should be. */
export function isUnsettled(draft: Draft, name: LogicalHostName): boolean {
  return intentOf(draft, name) !== 'none'
}

/** Says in one phrase what is not where it should be about a logical host; undefined when it is. */
export function describeUnsettled(draft: Draft, name: LogicalHostName): string | undefined {
  const { mastery } = draft.state(name)
  const by = 'by' in mastery ? mastery.by : ''
  const said: Readonly<Record<Intent, string | undefined>> = {
    'take-on': `${name} has no master`,
    reassign: `${name} has no master, because ${by} is no longer a member`,
    leave: `${name} is still mastered by ${by}, which is leaving`,
    'switch-back': `${name} may switch back now`,
    none: undefined,
  }
  return said[intentOf(draft, name)]
}

type Intent = 'take-on' | 'reassign' | 'leave' | 'switch-back' | 'none'

function intentOf(draft: Draft, name: LogicalHostName): Intent {
  const { mastery } = draft.state(name)
  switch (mastery.kind) {
    case 'unmastered':
      return endsByItself(mastery.why) &&
        draft.logicalHost(name).physicalHosts.some((host) => isAble(draft, name, host))
        ? 'take-on'
        : 'none'
    case 'takingOn':
      return draft.member(mastery.by) === undefined ? 'reassign' : 'none'
    case 'mastered':
      if (draft.member(mastery.by)?.state === 'leaving') return 'leave'
      return isSwitchbackDue(draft, name) ? 'switch-back' : 'none'
    default:
      return 'none'
  }
}

function settle(draft: Draft, name: LogicalHostName): void {
  const intent = intentOf(draft, name)
  const { mastery } = draft.state(name)
  if (intent === 'take-on') settleUnmastered(draft, name, uncleanOf(mastery))
  else if (intent === 'reassign' && mastery.kind === 'takingOn') reassign(draft, name, mastery.by, mastery.uncleanOn)
  else if (intent === 'leave' && mastery.kind === 'mastered') leave(draft, name, mastery.by)
  else if (intent === 'switch-back') switchBackLater(draft, name)
}

const ENDS_BY_ITSELF: readonly UnmasteredWhy[] = ['new', 'no-possible-master', 'cannot-be-taken-on']

/** Whether being without a master for that reason ends as soon as somebody can take the logical host on. */
export function endsByItself(why: UnmasteredWhy): boolean {
  return ENDS_BY_ITSELF.includes(why)
}

function settleUnmastered(draft: Draft, name: LogicalHostName, uncleanOn: readonly PhysicalHostName[]): void {
  const next = chooseMaster(draft, name)
  if (next === undefined) return
  takeOn(draft, name, next, uncleanOn)
  draft.because(name, `taken on by ${next.host}, the first of its possible masters that is a member`)
}

/** A give-up was committed in favour of a host that was lost at that very moment: it never began. */
function reassign(
  draft: Draft,
  name: LogicalHostName,
  gone: PhysicalHostName,
  uncleanOn: readonly PhysicalHostName[],
): void {
  const unclean = uncleanOn.includes(gone) ? uncleanOn : [...uncleanOn, gone]
  const next = chooseMaster(draft, name)
  if (next === undefined) {
    leaveUnmastered(draft, name, 'no-possible-master', unclean)
    draft.because(
      name,
      `${gone} is no longer a member, and none of its other possible masters is one that can take it on`,
    )
    return
  }
  takeOn(draft, name, next, unclean)
  draft.because(name, `taken on by ${next.host}, because ${gone} is no longer a member`)
}

/** Moves a logical host off a host that is leaving. A take-on that is under way there is cut short: it would be given up again as soon as it is done. */
export function leave(draft: Draft, name: LogicalHostName, host: PhysicalHostName): void {
  const next = chooseMaster(draft, name, { except: host })
  if (next === undefined) {
    giveUp(draft, name, host, 'no-possible-master')
    draft.because(name, `${host} is leaving, and none of its other possible masters is a member that can take it on`)
    return
  }
  moveTo(draft, name, host, next)
  draft.because(name, `moves from ${host} to ${next.host}, because ${host} is leaving`)
}
