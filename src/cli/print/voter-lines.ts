import type { VoterJson, VotersJson } from '../../framework/api/wire.ts'
import { renderTable } from './table.ts'

const HEADER = ['VOTER', 'STATE', 'ENDPOINT', { right: 'BEHIND' }, { right: 'SIZE' }, 'VERSION'] as const

/** Writes the voters of the cluster database, and what to know about them. */
export function voterLines({ voters, warnings, own }: VotersJson): readonly string[] {
  const rows = voters.map((voter) => [
    voter.name,
    stateOf(voter),
    voter.endpoints.length === 0 ? '-' : voter.endpoints.join(' '),
    { right: voter.lag === null ? '-' : String(voter.lag) },
    { right: voter.sizeBytes === null ? '-' : sizeText(voter.sizeBytes) },
    voter.version === '' ? '-' : voter.version,
  ])
  const here =
    own === null || own.complaint === '' ? [] : [`The voter of this machine: ${own.complaint}. ${own.remedy}`.trim()]
  return [...(rows.length === 0 ? [] : renderTable([HEADER, ...rows])), ...warnings, ...here]
}

function stateOf({ role, isHealthy }: VoterJson): string {
  return isHealthy ? role : role === 'joining' ? 'not started' : 'away'
}

function sizeText(bytes: number): string {
  return bytes < 10 * 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 / 1024)} MiB`
}
