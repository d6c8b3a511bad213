import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import { changesBetween } from './changes-between.ts'
import { checkChanges } from './check-changes.ts'
import { checkConfiguration } from './check-configuration.ts'
import { checkNetworkChanges } from './check-network-changes.ts'
import { type Configuration, configurationOf } from './configuration.ts'
import { type Problem, throwProblems } from './problem.ts'

/**
 * Makes the changes that lead from the present configuration to `after`. Throws every problem at once, under `headline` if there are several:
 * of `after` itself, and of getting there in the present state. Empty = nothing to do.
 */
export function decideChanges(
  state: ClusterState,
  after: Configuration,
  headline: string,
): readonly ConfigurationChange[] {
  const { changes, problems } = weighChanges(state, after)
  throwProblems(problems, headline)
  return changes
}

/** As `decideChanges`, but returns the problems. */
export function weighChanges(
  state: ClusterState,
  after: Configuration,
): { readonly changes: readonly ConfigurationChange[]; readonly problems: readonly Problem[] } {
  const before = configurationOf(state)
  const changes = changesBetween(before, after)
  const problems = [
    ...checkConfiguration(after),
    ...checkChanges(state, changes),
    ...checkNetworkChanges(before, after),
  ]
  return { changes, problems }
}
