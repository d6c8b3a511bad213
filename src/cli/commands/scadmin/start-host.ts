import type { IdentityJson } from '../../../framework/api/wire.ts'
import { HaError, isHaError } from '../../../framework/errors/ha-error.ts'
import { type Context, printJson, printLine } from '../../context.ts'
import { followReconfiguration } from '../../follow/follow-reconfiguration.ts'

/** How clustd is started. Names that are given have to be those that the host was set up with. */
export interface StartRequest {
  readonly mode: 'found' | 'join'
  readonly host: string | undefined
  readonly cluster: string | undefined
  readonly isAwaited: boolean
}

/** Starts clustd, which waits until this host is a member, and watches what it takes on. Throws `CLUSTD_RUNNING`, and what clustd refuses. */
export async function startHost(context: Context, request: StartRequest): Promise<number> {
  const offline = await context.offline()
  const own = await offline.readOwnHost(context.root)
  refuseOtherName('host', request.host, own.physicalHost)
  refuseOtherName('cluster', request.cluster, own.cluster)
  await refuseRunning(context)
  if (!context.json && request.mode === 'found')
    printLine(context, `Creating a new cluster: ${own.physicalHost} is the first member of ${own.cluster}.`)
  await offline.startClustd({ ...context, mode: request.mode, isAwaited: request.isAwaited })
  if (!request.isAwaited) {
    if (context.json) printJson(context, { ...own, role: 'joining' })
    else printLine(context, `clustd is started on ${own.physicalHost}. See how it gets on with 'hastat'.`)
    return 0
  }
  const identity = await context.api.identity()
  if (!context.json) printLine(context, `${identity.physicalHost} is a member of the cluster ${identity.cluster}.`)
  return followReconfiguration(context, identity.incarnation)
}

function refuseOtherName(what: 'host' | 'cluster', asked: string | undefined, own: string): void {
  if (asked === undefined || asked === own) return
  const message =
    what === 'host'
      ? `this host is called ${own}, not ${asked}`
      : `this host belongs to the cluster ${own}, not to ${asked}`
  throw new HaError('NOT_FOUND', message, {
    hint:
      what === 'host' ? `Run this on ${asked}, or name ${own}.` : `Name the cluster ${own}, or set this host up anew.`,
  })
}

async function refuseRunning(context: Context): Promise<void> {
  const identity = await identityOrNone(context)
  if (identity === undefined) return
  throw new HaError(
    'CLUSTD_RUNNING',
    `clustd is running on ${identity.physicalHost} already (process ${identity.pid}, ${identity.role})`,
    {
      hint: "See what it does with 'hastat'.",
    },
  )
}

async function identityOrNone(context: Context): Promise<IdentityJson | undefined> {
  try {
    return await context.api.identity()
  } catch (error) {
    if (isHaError(error, 'CLUSTD_NOT_RUNNING')) return undefined
    throw error
  }
}
