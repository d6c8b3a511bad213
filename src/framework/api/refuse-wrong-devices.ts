import { HaError } from '../errors/ha-error.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import type { RouteContext } from './route-context.ts'

/** Throws `CONFIG_INVALID` when the changes configure fence devices that this host knows not to work so: wrong options, a program that is not there. */
export async function refuseWrongDevices(
  { facts }: Pick<RouteContext, 'facts'>,
  changes: readonly ConfigurationChange[],
): Promise<void> {
  const devices = changes.flatMap((change) => (change.kind === 'put-fence-device' ? [change.fenceDevice] : []))
  if (devices.length === 0) return
  const problems: string[] = []
  for (const device of devices) problems.push(...((await facts.checkFenceDevice?.(device)) ?? []))
  const [first, ...others] = problems
  if (first === undefined) return
  const hint = 'What an agent knows is told by its metadata: PROGRAM -o metadata'
  throw others.length === 0
    ? new HaError('CONFIG_INVALID', first, { hint })
    : new HaError('CONFIG_INVALID', 'fence devices cannot be configured so', { details: problems, hint })
}
