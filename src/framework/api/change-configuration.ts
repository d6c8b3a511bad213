import { clusterWarnings } from '../configure/check-cluster.ts'
import { dependencyWarnings } from '../configure/check-data-services.ts'
import { configurationOf } from '../configure/configuration.ts'
import { describeChanges } from '../configure/describe-changes.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import type { ApiServices } from './services.ts'
import type { ConfigurationChangeJson, ConfiguredJson } from './wire.ts'

/** Commits what `decide` wants changed and says what that was. Rejects with what `decide` throws; then nothing was changed. */
export async function changeConfiguration(
  services: ApiServices,
  decide: (state: ClusterState) => readonly ConfigurationChange[],
): Promise<ConfiguredJson> {
  if (decide(services.state()).length === 0) return { revision: null, changes: [], reconfigurations: [], warnings: [] }
  let described: readonly ConfigurationChangeJson[] = []
  const revision = await services.configure((state) => {
    // Asked again after a lost race: what was described then is not what is committed.
    const changes = decide(state)
    described = describeChanges(configurationOf(state), changes)
    return changes
  })
  return { revision, changes: described, reconfigurations: [], warnings: configurationWarnings(services.state()) }
}

/** Says what is allowed but probably not meant. */
export function configurationWarnings(state: ClusterState): readonly string[] {
  return [...clusterWarnings(state.cluster), ...dependencyWarnings(configurationOf(state))]
}
