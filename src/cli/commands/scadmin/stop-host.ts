import type { LeftJson } from '../../../framework/api/wire.ts'
import { HaError } from '../../../framework/errors/ha-error.ts'
import { type Context, printJson, printLine } from '../../context.ts'
import { INTERRUPTED_EXIT_CODE } from '../../follow/follow-reconfiguration.ts'
import { createFollowView } from '../../follow/follow-view.ts'
import { writeDuration } from '../../print/duration.ts'
import { checkCluster } from '../check-cluster.ts'

/** Milliseconds beyond the step timeout that a leave may take until clustd itself says that it cannot. */
const GRACE_MS = 15_000
/** Milliseconds between two looks for the reconfiguration that the leave begins. */
const LOOK_MS = 50

/** Lets this host leave, shows how, and returns when it has left. With `isAwaited` false clustd is told to, and nothing is waited for. */
export async function stopHost(
  context: Context,
  { cluster, isAwaited }: { readonly cluster: string | undefined; readonly isAwaited: boolean },
): Promise<number> {
  if (cluster !== undefined) await checkCluster(context, cluster)
  const { physicalHost, pid } = await context.api.identity()
  if (!isAwaited) {
    // What SIGTERM means to clustd is this, and it answers nobody.
    process.kill(pid, 'SIGTERM')
    if (context.json) printJson(context, { physicalHost, role: 'leaving' })
    else printLine(context, `${physicalHost} leaves. See how it gets on with 'hastat'.`)
    return 0
  }
  const startedMs = context.nowMs()
  const left = await leave(context)
  if (left === 'interrupted') {
    context.stderr.write(
      `${physicalHost} goes on leaving without being watched. See how it gets on with 'hastat -i 1'.\n`,
    )
    return INTERRUPTED_EXIT_CODE
  }
  if (context.json) printJson(context, { physicalHost, role: 'left', ...left })
  else printLine(context, `${physicalHost} has left the cluster (${writeDuration(context.nowMs() - startedMs)}).`)
  if (!context.json) for (const line of restLines(left)) printLine(context, line)
  return 0
}

/** Says what is not served yet: clustd has ended here, so another host has to be asked. */
function restLines({ stillTakenOn }: LeftJson): readonly string[] {
  return stillTakenOn.map(({ logicalHost, by, reconfiguration }) => {
    return `${by} still takes ${logicalHost} on (reconfiguration ${reconfiguration}). On ${by}, see: scadmin timeline ${reconfiguration}`
  })
}

/** Leaves while the reconfiguration is shown. Returns what others still do, or that Ctrl-C ended the watching. */
async function leave(context: Context): Promise<LeftJson | 'interrupted'> {
  const { cluster } = await context.api.configuration()
  const before = await lastReconfiguration(context)
  const stopped = new AbortController()
  const left = new AbortController()
  const release = context.onInterrupt(() => stopped.abort())
  const watching = watchLeave(context, before, AbortSignal.any([stopped.signal, left.signal]))
  try {
    return await context.api.leave({ withinMs: cluster.stepTimeoutS * 1000 + GRACE_MS, signal: stopped.signal })
  } catch (error) {
    if (stopped.signal.aborted) return 'interrupted'
    throw error
  } finally {
    left.abort()
    await watching
    release()
  }
}

async function lastReconfiguration(context: Context): Promise<number> {
  const { reconfigurations } = await context.api.history({ last: 1 })
  return reconfigurations.at(-1)?.number ?? 0
}

/** Shows what the leave does. clustd ends after it, so that an answer may break off: what counts is the answer to the leave itself. */
async function watchLeave(context: Context, before: number, signal: AbortSignal): Promise<void> {
  const view = createFollowView(context)
  try {
    const number = await findLeave(context, before, signal)
    if (number === undefined) return
    for await (const event of context.api.follow(number, { signal })) view.show(event)
  } catch (error) {
    if (!(error instanceof HaError)) throw error
  } finally {
    view.close()
  }
}

async function findLeave(context: Context, before: number, signal: AbortSignal): Promise<number | undefined> {
  while (!signal.aborted) {
    const { reconfigurations } = await context.api.history({ last: 5 })
    const found = reconfigurations.find(({ number, cause }) => number > before && cause.kind === 'host-leaving')
    if (found !== undefined) return found.number
    await context.sleep(LOOK_MS, signal)
  }
  return undefined
}
