import type { ConfigurationRequest } from '../../../framework/api/wire.ts'
import type { Context } from '../../context.ts'
import { showConfigured } from '../../follow/show-configured.ts'
import { checkCluster } from '../check-cluster.ts'

/** Changes one thing of the named cluster, and prints what was changed. Returns the exit code. */
export async function configure(context: Context, cluster: string, request: ConfigurationRequest): Promise<number> {
  await checkCluster(context, cluster)
  return showConfigured(context, await context.api.configure(request))
}

/** Leaves out what was not given: the API reads a field that is there as a change. */
export function given<Fields extends Readonly<Record<string, unknown>>>(fields: Fields): Given<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<Fields>
}

type Given<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> }
