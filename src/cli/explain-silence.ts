import { HaError, isHaError } from '../framework/errors/ha-error.ts'
import type { Context } from './context.ts'
import { writeTime } from './print/duration.ts'

/**
 * Says of a clustd that does not answer what this host is and how it is started, as it is to be typed: `NOT_SET_UP` when it has never been part of a
 * cluster. Every other failure is returned as it is.
 */
export async function explainSilence(
  { offline, root }: Pick<Context, 'offline' | 'root'>,
  failure: unknown,
): Promise<unknown> {
  if (!isHaError(failure, 'CLUSTD_NOT_RUNNING') || isForbidden(failure)) return failure
  try {
    const { readOwnHost } = await offline()
    const { physicalHost, cluster, stopped } = await readOwnHost(root)
    return new HaError(failure.code, failure.message, {
      // When it was is said: it may have been started, and ended by somebody, since.
      details:
        stopped === null ? [] : [`The guard stopped this host last at ${writeTime(stopped.atWallMs)}: ${stopped.why}`],
      hint: `Start it with: scadmin startnode; or, if no host of ${cluster} is up: scadmin startcluster ${physicalHost} ${cluster}`,
      cause: failure,
    })
  } catch (error) {
    // What cannot be read says nothing about clustd.
    return isHaError(error, 'NOT_SET_UP') ? error : failure
  }
}

/** Somebody answers there, but not to this user. */
function isForbidden({ cause }: HaError): boolean {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return code === 'EACCES' || code === 'EPERM'
}
