import { decideClusterFile } from '../configure/cluster-file-decide.ts'
import { type ParsedClusterFile, parseClusterFileInParts } from '../configure/cluster-file-parse.ts'
import { configurationOf } from '../configure/configuration.ts'
import { describeChanges } from '../configure/describe-changes.ts'
import { HaError, isHaError } from '../errors/ha-error.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { describeCause } from '../plan/describe.ts'
import { changeConfiguration, configurationWarnings } from './change-configuration.ts'
import { refuseWrongDevices } from './refuse-wrong-devices.ts'
import type { RouteContext } from './route-context.ts'
import { toCause } from './to-cause.ts'
import type { ClusterFileRequest, ConfigurationDiffJson, ConfiguredJson, RequestJson } from './wire.ts'

/** Milliseconds that each request behind a cluster file waits for logical hosts in motion, also those that the one before it has set in motion. */
const BUSY_WAIT_MS = 120_000

/** Says what applying a cluster file would change. Throws `CONFIG_INVALID` with every problem. */
export async function diffClusterFile(
  { services }: RouteContext,
  request: ClusterFileRequest,
): Promise<ConfigurationDiffJson> {
  const decideOn = await decide(request)
  const state = services.state()
  const { changes, requests, kept } = decideOn(state)
  return {
    changes: [...describeChanges(configurationOf(state), changes), ...kept],
    requests: requests.map((one) => describeCause(toCause(state, one, ''))),
    warnings: configurationWarnings(state),
  }
}

/**
 * Commits what a cluster file changes, all of it or nothing, then asks for what must run or stop. Throws `CONFIG_INVALID` with every problem, and then
 * nothing was changed; what the planner refuses afterwards is thrown with a detail that says that the configuration was changed.
 */
export async function applyClusterFile(
  context: RouteContext,
  request: ClusterFileRequest,
  by: string,
): Promise<ConfiguredJson> {
  const decideOn = await decide(request)
  const { services } = context
  const { requests, kept, changes } = decideOn(services.state())
  await refuseWrongDevices(context, changes)
  const configured = await changeConfiguration(services, (state) => decideOn(state).changes)
  const reconfigurations: number[] = []
  for (const one of requests) {
    const cause = toCause(services.state(), one, by)
    const number = await services.submit(cause, { busyWaitMs: BUSY_WAIT_MS }).catch((error: unknown) => {
      throw halfDone(error, one, configured)
    })
    if (number !== null) reconfigurations.push(number)
  }
  return { ...configured, changes: [...configured.changes, ...kept], reconfigurations }
}

type Decide = (state: ClusterState) => ReturnType<typeof decideClusterFile>

async function decide({ text, fileName, prune = false }: ClusterFileRequest): Promise<Decide> {
  const parsed = await parseGivingWay(text, fileName)
  return (state) => decideClusterFile(parsed, state, prune)
}

/** Lets the loop of the daemon run between the parts: a file must not make it late with its stamp. */
async function parseGivingWay(text: string, fileName: string): Promise<ParsedClusterFile> {
  const parts = parseClusterFileInParts(text, fileName)
  for (;;) {
    const part = parts.next()
    if (part.done === true) return part.value
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function halfDone(error: unknown, request: RequestJson, { revision }: ConfiguredJson): unknown {
  if (!isHaError(error)) return error
  const done =
    revision === null ? 'The configuration was as in the file already' : 'The configuration is now as in the file'
  return new HaError(error.code, error.message, {
    ...(error.hint !== undefined && { hint: error.hint }),
    details: [
      ...error.details,
      `${done}; what was refused is only the request '${request.kind}'. Apply the file again later.`,
    ],
    cause: error,
  })
}
