import { HaError } from '../../framework/errors/ha-error.ts'
import { METHOD_NAMES, type MethodName } from '../../framework/model/cluster-config.ts'
import {
  type ClusterName,
  type DataServiceName,
  type LogicalHostName,
  type PhysicalHostName,
  parseName,
} from '../../framework/model/names.ts'

/** What a method was called with: the three arguments and the environment of the call contract, in types. */
export interface MethodArguments {
  /** Logical hosts of the service that this physical host masters (argv[1]); may be empty. Start-type methods act on these. */
  readonly mastered: readonly LogicalHostName[]
  /** Logical hosts of the service that it does not master (argv[2]); may be empty. Stop-type methods act on these. */
  readonly notMastered: readonly LogicalHostName[]
  /** Whole seconds the method may take (argv[3]), at least 1. */
  readonly timeoutS: number
  readonly cluster: ClusterName
  readonly physicalHost: PhysicalHostName
  /** The logical host whose coming or going caused the call. */
  readonly logicalHost: LogicalHostName
  readonly service: DataServiceName
  readonly method: MethodName
  /** Number of the reconfiguration that the call belongs to. */
  readonly reconfiguration: number
  /** Generation of the logical host (`HA_EPOCH`): what acts for an older one is late and must be refused. */
  readonly generation: number
  /** Administrative file system of the logical host; empty = it has none. */
  readonly pathPrefix: string
  /** `HAVEN_ROOT`: every path of Haven on this host hangs below it. */
  readonly root: string
}

/**
 * Parses what a method was called with. Throws `USAGE` with one detail per problem: a method that does not know what it is called for must not guess.
 *
 * @param words - argv[1] to argv[3]; default: those of this process
 * @param environment - default: that of this process
 */
export function parseMethodArguments(
  words: readonly string[] = process.argv.slice(2),
  environment: Readonly<Record<string, string | undefined>> = process.env,
): MethodArguments {
  const problems: string[] = []
  const attempt = <T>(parse: () => T): T | undefined => {
    try {
      return parse()
    } catch (error) {
      problems.push((error as Error).message)
      return undefined
    }
  }
  const variable = (name: string): string => environment[name] ?? fail(`the environment has no ${name}`)
  const parsed = {
    mastered: attempt(() => parseList(words[0] ?? fail('the first argument, the mastered logical hosts, is missing'))),
    notMastered: attempt(() => parseList(words[1] ?? fail('the second argument, the other logical hosts, is missing'))),
    timeoutS: attempt(() => parseCount('the third argument, the seconds it may take,', words[2] ?? '', 1)),
    cluster: attempt(() => parseName('cluster', variable('HA_CLUSTER'))),
    physicalHost: attempt(() => parseName('physicalHost', variable('HA_PHYSICAL_HOST'))),
    logicalHost: attempt(() => parseName('logicalHost', variable('HA_LOGICAL_HOST'))),
    service: attempt(() => parseName('dataService', variable('HA_SERVICE'))),
    method: attempt(() => parseMethodName(variable('HA_METHOD'))),
    reconfiguration: attempt(() => parseCount('HA_RECONFIGURATION', variable('HA_RECONFIGURATION'), 0)),
    generation: attempt(() => parseCount('HA_EPOCH', variable('HA_EPOCH'), 0)),
    pathPrefix: attempt(() => variable('HA_PATHPREFIX')),
    root: attempt(() => variable('HAVEN_ROOT')),
  }
  if (words.length > 3) problems.push(`there are ${words.length} arguments instead of three`)
  if (isComplete(parsed) && problems.length === 0) return parsed
  throw new HaError('USAGE', 'this is not how Haven calls a method', {
    hint: 'Methods are called by clustd: <mastered logical hosts> <other logical hosts> <seconds>, with the HA_ variables set.',
    details: problems,
  })
}

type Attempted<T> = { readonly [Key in keyof T]: T[Key] | undefined }

function isComplete(parsed: Attempted<MethodArguments>): parsed is MethodArguments {
  return Object.values(parsed).every((value) => value !== undefined)
}

function parseList(text: string): readonly LogicalHostName[] {
  return text === '' ? [] : text.split(',').map((name) => parseName('logicalHost', name))
}

function parseCount(what: string, text: string, min: number): number {
  if (!/^\d{1,15}$/.test(text) || Number(text) < min) fail(`${what} must be a whole number from ${min}, not '${text}'`)
  return Number(text)
}

function parseMethodName(text: string): MethodName {
  return METHOD_NAMES.find((name) => name === text) ?? fail(`'${text}' is not the name of a method`)
}

function fail(problem: string): never {
  throw new HaError('USAGE', problem)
}
