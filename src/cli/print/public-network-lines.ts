import type { PublicGroupJson, PublicNetworksJson } from '../../framework/api/wire.ts'
import { renderTable } from './table.ts'

const STATUS: Readonly<Record<NonNullable<PublicGroupJson['state']>, string>> = {
  ok: 'OK',
  doubtful: 'DOUBT',
  failed: 'DOWN',
  'network-down': 'NETDOWN',
}

/** Status, seconds since its addresses moved last or NEVER, and the active adapter, as the classic `pnmstat -c` prints them. */
export function classicStatus({
  state,
  secondsSinceMoved,
  active,
}: PublicGroupJson): readonly [string, string, string] {
  return [
    state === null ? 'UNKNOWN' : STATUS[state],
    secondsSinceMoved === null ? 'NEVER' : String(secondsSinceMoved),
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
