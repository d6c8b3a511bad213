import type { RegisterRequest } from '../api/wire.ts'
import { HaError } from '../errors/ha-error.ts'
import {
  type DataService,
  METHOD_NAMES,
  METHOD_TIMEOUT_DEFAULT_S,
  type Method,
  type MethodName,
} from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import { parseName } from '../model/names.ts'
import { configurationOf, withEntry } from './configuration.ts'
import { decideChanges } from './decide-changes.ts'
import { type Problem, throwProblems } from './problem.ts'

/**
 * Decides `hareg -r`: the new service is off, and on all logical hosts that exist now unless the request names some
 * (Sun Cluster 2.2 System Administration Guide 3).
 *
 * Throws all problems at once: `ALREADY_EXISTS`, `NAME_INVALID`, `NOT_FOUND` (dependency, logical host), `DEPENDENCY_CYCLE`, `LIMIT_REACHED`, or `CONFIG_INVALID`.
 */
export function registerService(state: ClusterState, request: RegisterRequest): readonly ConfigurationChange[] {
  const name = parseName('dataService', request.name)
  if (state.dataServices.has(name)) {
    throw new HaError('ALREADY_EXISTS', `data service ${name} is registered already`, {
      hint: `Look at it with 'hareg -q ${name}'; to register it anew, 'hareg -u ${name}' first.`,
    })
  }
  const headline = `data service ${name} cannot be registered`
  throwProblems(findWrongMethods(request), headline)
  const configuration = configurationOf(state)
  const dataServices = withEntry(configuration.dataServices, name, toDataService(state, request))
  return decideChanges(state, { ...configuration, dataServices }, headline)
}

function toDataService(state: ClusterState, request: RegisterRequest): DataService {
  return {
    name: parseName('dataService', request.name),
    state: 'off',
    methods: methodsOf(request),
    baseDirectory: request.baseDirectory ?? '',
    dependsOn: (request.dependsOn ?? []).map((name) => parseName('dataService', name)),
    logicalHosts:
      request.logicalHosts?.map((name) => parseName('logicalHost', name)) ?? [...state.logicalHosts.keys()].toSorted(),
    version: request.version ?? '',
    apiVersion: request.apiVersion ?? '',
    packages: request.packages ?? [],
  }
}

function methodsOf({
  methods,
  timeoutsS = {},
  baseDirectory = '',
}: RegisterRequest): Readonly<Partial<Record<MethodName, Method>>> {
  return Object.fromEntries(
    METHOD_NAMES.filter((name) => Object.hasOwn(methods, name)).map((name) => [
      name,
      { program: joinPath(baseDirectory, methods[name] ?? ''), timeoutS: timeoutsS[name] ?? METHOD_TIMEOUT_DEFAULT_S },
    ]),
  )
}

/** Joins a relative program to the base directory of its service; an absolute one stays as it is. */
export function joinPath(baseDirectory: string, program: string): string {
  if (program === '' || program.startsWith('/') || baseDirectory === '') return program
  return `${baseDirectory.replace(/\/+$/, '')}/${program.replace(/^(\.\/)+/, '')}`
}

function findWrongMethods({ name, methods, timeoutsS = {} }: RegisterRequest): readonly Problem[] {
  const isKnown = (method: string): boolean => METHOD_NAMES.some((known) => known === method)
  const path = ['dataServices', name, 'methods']
  const hint = `Methods are: ${METHOD_NAMES.join(', ')}.`
  const unknown = [...new Set([...Object.keys(methods), ...Object.keys(timeoutsS)])].filter(
    (method) => !isKnown(method),
  )
  const idle = Object.keys(timeoutsS).filter((method) => isKnown(method) && !Object.hasOwn(methods, method))
  return [
    ...unknown.map(
      (method): Problem => ({ code: 'CONFIG_INVALID', path, message: `there is no method '${method}'`, hint }),
    ),
    ...idle.map(
      (method): Problem => ({
        code: 'CONFIG_INVALID',
        path,
        message: `a timeout is given for ${method}, but no program (-m ${method}=PATH)`,
      }),
    ),
  ]
}
