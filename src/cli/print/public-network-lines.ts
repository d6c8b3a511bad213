import type { PublicGroupJson, PublicNetworksJson } from '../../framework/api/wire.ts'
import { renderTable } from './table.ts'

const STATUS: Readonly<Record<NonNullable<PublicGroupJson['state']>, string>> = {
  ok: 'OK',
  doubtful: 'DOUBT',
  failed: 'DOWN',
  'network-down': 'NETDOWN',
}

/** Status, seconds since its addresses moved last or NEVER (`-`: only its host knows), and the active adapter, as the classic `pnmstat -c` prints them. */
export function classicStatus(group: PublicGroupJson): readonly [string, string, string] {
  const { state, secondsSinceMoved, active, adapters } = group
  const isToldHere = adapters.some(({ test }) => test !== null)
  const never = isToldHere ? 'NEVER' : '-'
  return [
    state === null ? 'UNKNOWN' : STATUS[state],
    secondsSinceMoved === null ? never : String(secondsSinceMoved),
    active === '' ? '-' : active,
  ]
}

/** The classic table, with the words of its headings; below it what is wrong with single adapters. */
export function publicNetworkLines({ host, groups }: PublicNetworksJson): readonly string[] {
  if (groups.length === 0) return [`No public adapters of ${host} are configured.`]
  const rows = groups.map((group) => [
    group.name,
    group.adapters.map(({ name }) => name).join(':'),
    ...classicStatus(group),
  ])
  return [...renderTable([['bkggrp', 'r_adp', 'status', 'fo_time', 'live_adp'], ...rows]), ...groups.flatMap(troubles)]
}

const TEST = {
  ok: undefined,
  testing: undefined,
  doubtful: 'does not answer for a moment',
  silent: 'hears nothing, and nobody answers',
  'link-down': 'has no link',
  recovering: 'works again, not for long',
} as const

function troubles({ name, faulty, adapters }: PublicGroupJson): readonly string[] {
  return adapters.flatMap((adapter) => {
    const told = adapter.test === null ? undefined : TEST[adapter.test]
    const what = told ?? (faulty.includes(adapter.name) ? 'is faulty' : undefined)
    return what === undefined ? [] : [`${name}: ${adapter.name} ${what}.`]
  })
}

/** A `Need` of `needs.ts`, which imports this. */
interface PublicNeed {
  readonly what: string
  readonly todo: readonly string[]
}

/** Says which adapters and groups of a host an operator has to look at. */
export function groupNeeds({ host, groups }: PublicNetworksJson): readonly PublicNeed[] {
  return groups.flatMap(({ name, network, state, active, faulty }): readonly PublicNeed[] => {
    const look = `look at the adapters, cables and switch; on ${host}: pnmstat`
    switch (state) {
      case 'failed':
        return [{ what: `${name} of ${host} has failed, while network ${network} works for others`, todo: [look] }]
      case 'network-down':
        return [{ what: `network ${network} is silent for ${host}, and not for ${host} only`, todo: [look] }]
      default:
        if (faulty.length === 0) return []
        return [
          {
            what: `adapter ${faulty.join(', ')} of ${host} is faulty; ${active} has its addresses`,
            todo: [look, `then, if you like: pnmset --switch ${name} ${faulty[0]}`],
          },
        ]
    }
  })
}
