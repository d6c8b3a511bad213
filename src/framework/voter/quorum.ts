import type { VoterStatus } from '../ports/voters.ts'

/** Voters that must agree. */
export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1
}

/** Who counts: learners and those that never started do not. */
export function countedVoters(statuses: readonly VoterStatus[]): readonly VoterStatus[] {
  return statuses.filter(({ role }) => role !== 'learner')
}

/** Says why a voter must not be taken out now; empty = it may. */
export function removalProblem(statuses: readonly VoterStatus[], name: string): string {
  const target = statuses.find((voter) => voter.name === name)
  if (target === undefined || target.role === 'learner') return ''
  const rest = countedVoters(statuses).filter((voter) => voter !== target)
  if (rest.length === 0) return `${name} is the only voter: without it there is no database`
  const healthy = rest.filter(({ isHealthy }) => isHealthy)
  const needed = majorityOf(rest.length)
  if (healthy.length >= needed) return ''
  const sick = rest.filter(({ isHealthy }) => !isHealthy).map((voter) => voter.name)
  return `without ${name}, ${needed} of ${rest.length} voters must be well, and ${sick.join(', ')} ${sick.length === 1 ? 'is' : 'are'} not`
}

/** Says what an operator should know of the number and the health of the voters, one sentence each; empty = all is well. */
export function voterWarnings(statuses: readonly VoterStatus[]): readonly string[] {
  const counted = countedVoters(statuses)
  const sick = counted.filter(({ isHealthy }) => !isHealthy)
  const left = counted.length - sick.length - majorityOf(counted.length)
  return [
    ...numberWarning(counted.length),
    ...sick.map(({ name, complaint }) => `The voter ${name} is not well: ${complaint}.`),
    ...counted.flatMap(silentWarning),
    ...(sick.length > 0 && left === 0 ? ['No further voter may be lost now, or the cluster database stops.'] : []),
    ...(left < 0 ? ['Too many voters are lost: the cluster database takes no commits until one is back.'] : []),
  ]
}

/** It votes all the same; but whoever relies on two ways should know when there is one. */
function silentWarning({ name, endpoint, silent }: VoterStatus): readonly string[] {
  if (silent.length === 0) return []
  return [`The voter ${name} does not answer at ${silent.join(', ')}; it does at ${endpoint}.`]
}

function numberWarning(voters: number): readonly string[] {
  if (voters === 1) {
    return ['One voter tolerates no loss: when its machine is down, so is the cluster database. Add two more.']
  }
  if (voters === 2) return ['Two voters tolerate no loss: add a witness (scadmin witness).']
  if (voters % 2 === 0) {
    return [`${voters} voters tolerate no more losses than ${voters - 1}: add one, or take one out.`]
  }
  return []
}
