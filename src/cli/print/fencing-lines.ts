import type { FenceDeviceJson, FenceJson, FencingStatusJson, StatusJson } from '../../framework/api/wire.ts'
import { writeTime } from './duration.ts'
import { type Cell, renderTable } from './table.ts'

/** A `Need` of `needs.ts`, which imports this. */
interface FencingNeed {
  readonly what: string
  readonly todo: readonly string[]
}

/** Fences that are shown: what was fenced months ago is in the record, and on no page. */
const FENCES_SHOWN_MAX = 5

/** Writes how fence devices are and what was fenced; nothing where there are neither. */
export function fencingLines({ devices, fences }: FencingStatusJson): readonly string[] {
  const rows = devices.map(({ name, hosts, isWell, message, askedBy, askedWallMs }): readonly Cell[] => {
    const asked = askedBy === null || askedWallMs === null ? '' : `asked by ${askedBy} at ${writeTime(askedWallMs)}`
    const state = isWell === null ? 'not asked yet' : isWell ? 'works' : `DOES NOT WORK: ${message}`
    return [name, `fences ${hosts.join(', ')}`, state, asked]
  })
  return [
    ...(rows.length === 0 ? [] : ['', 'FENCE DEVICES', ...renderTable(rows, '     ')]),
    ...(fences.length === 0 ? [] : ['', 'LAST FENCES']),
    ...fences.slice(0, FENCES_SHOWN_MAX).map((fence) => `     ${fenceLine(fence)}`),
  ]
}

/** Finds what somebody has to do about fencing: devices that do not work, and fences that failed and were not repeated since. */
export function fencingNeeds({ fencing, physicalHosts }: StatusJson): readonly FencingNeed[] {
  const broken = fencing.devices.filter(({ isWell }) => isWell === false)
  const isMember = (host: string): boolean =>
    physicalHosts.some(({ name, membership }) => name === host && membership !== 'not a member')
  const failed = fencing.fences.filter(({ outcome, host }) => outcome === 'failed' && !isMember(host))
  return [
    ...broken.map(({ name, hosts, message, askedBy }) => ({
      what: `the fence device ${name} does not work: ${hosts.join(', ')} cannot be fenced with it`,
      todo: [`${askedBy} was told: ${message}`, 'it is asked again by itself'],
    })),
    ...failed.map(({ host, message }) => ({
      what: `the fence of ${host} failed`,
      todo: [message, `look at ${host}; once it is off for certain: scadmin confirm-down ${host} --reason REASON`],
    })),
  ]
}

/** Writes a fence in one line. */
export function fenceLine(fence: FenceJson): string {
  const { host, askedBy, operator, why, atWallMs, outcome, devices, tookMs, message } = fence
  const seconds = tookMs === null ? '' : ` after ${(tookMs / 1000).toFixed(2)} s`
  const who = operator === '' ? `by ${askedBy}` : `by ${operator} on ${askedBy}`
  const reason = why === '' ? '' : ` (${why})`
  const how = {
    asked: 'asked for, and nothing heard of it since',
    confirmed: `confirmed by ${devices.join(' and ')}${seconds}`,
    'confirmed-by-operator': 'confirmed down',
    failed: `FAILED${seconds}: ${message}`,
  }[outcome]
  return `${writeTime(atWallMs)} ${host} ${who}${reason}: ${how}`
}

/** Writes a configured fence device, for `scconf -p`. */
export function fenceDeviceLines(device: FenceDeviceJson): readonly string[] {
  const { name, agent, program, options, plugs, hosts, action, timeoutMs } = device
  const given = Object.entries(options).map(([option, value]) => `${option}=${value}`)
  const plugged = Object.entries(plugs).map(([host, plug]) => `${host}=${plug}`)
  return [
    `  Fence Device ${name}: ${agent} ${program}, ${action}, ${timeoutMs / 1000} s`,
    `      Fences: ${hosts.join(' ')}${plugged.length === 0 ? '' : `, plugs ${plugged.join(' ')}`}`,
    ...(given.length === 0 ? [] : [`      Options: ${given.join(' ')}`]),
  ]
}
