import { type ClusterConfig, type DataService, METHOD_NAMES } from '../model/cluster-config.ts'
import type { DataServiceName } from '../model/names.ts'
import { isPlainPath } from './check-disk-groups.ts'
import { findTwice } from './check-logical-hosts.ts'
import type { Configuration } from './configuration.ts'
import { PARTS_MAX, TEXT_LENGTH_MAX } from './limits.ts'
import type { Problem, ProblemPath } from './problem.ts'

/** Finds what is wrong with the data services: methods that cannot be called in time, names of nothing, dependencies in a circle. */
export function checkDataServices(configuration: Configuration): readonly Problem[] {
  return [
    ...[...configuration.dataServices.values()].flatMap((service) => [
      ...checkMethods(configuration.cluster, service),
      ...checkDependencies(configuration, service),
      ...checkServiceHosts(configuration, service),
      ...checkTexts(service),
    ]),
    ...findCycles(configuration),
  ]
}

/** Names dependencies that order nothing, because the two services share no logical host; one sentence each. */
export function dependencyWarnings({ dataServices }: Configuration): readonly string[] {
  return [...dataServices.values()].flatMap((service) =>
    service.dependsOn.flatMap((name) => {
      const other = dataServices.get(name)
      const alone = service.logicalHosts.filter((at) => other !== undefined && !other.logicalHosts.includes(at))
      if (alone.length === 0) return []
      return [
        `${service.name} depends on ${name}, which is not configured on ${alone.join(', ')}: there the dependency has no effect.`,
      ]
    }),
  )
}

function checkMethods({ logicalHostTimeoutS }: ClusterConfig, { name, methods }: DataService): readonly Problem[] {
  const at = ['dataServices', name, 'methods']
  const given = METHOD_NAMES.flatMap((method) =>
    methods[method] === undefined ? [] : [{ method, ...methods[method] }],
  )
  if (given.length === 0) return [invalid(at, `data service ${name} has no method`)]
  return given.flatMap(({ method, program, timeoutS }) => {
    const problems: Problem[] = []
    if (!isPlainPath(program)) {
      const hint = 'Give an absolute path, or the directory that it is in (hareg -b).'
      problems.push(
        invalid([...at, method, 'program'], `'${program}' cannot be the program of ${method} of ${name}`, hint),
      )
    }
    if (!Number.isSafeInteger(timeoutS) || timeoutS < 1) {
      problems.push(
        invalid(
          [...at, method, 'timeoutS'],
          `the timeout of ${method} of ${name} is ${timeoutS}, and must be whole seconds from 1`,
        ),
      )
    } else if (timeoutS * 2 >= logicalHostTimeoutS) {
      problems.push(tooLong([...at, method, 'timeoutS'], `${method} of ${name}`, timeoutS, logicalHostTimeoutS))
    }
    return problems
  })
}

/** Both halves of a move share the timeout (Sun Cluster 2.2 API Developer's Guide 2.2.5). */
function tooLong(path: ProblemPath, what: string, timeoutS: number, logicalHostTimeoutS: number): Problem {
  const message = `the timeout of ${what} (${timeoutS} s) is not below half of the logical host timeout (${logicalHostTimeoutS} s)`
  return invalid(
    path,
    message,
    `Give it less, or raise the logical host timeout above ${timeoutS * 2} s with scconf -l.`,
  )
}

function checkDependencies({ dataServices }: Configuration, { name, dependsOn }: DataService): readonly Problem[] {
  const at = ['dataServices', name, 'dependsOn']
  return [
    ...findTwice(at, dependsOn, (other) => `data service ${name} names ${other} twice among its dependencies`),
    ...dependsOn.flatMap((other, index): readonly Problem[] => {
      if (dataServices.has(other)) return []
      const message = `data service ${name} depends on ${other}, which is not registered`
      return [{ code: 'NOT_FOUND', path: [...at, index], message, hint: 'Register it first (hareg -r).' }]
    }),
  ]
}

function checkServiceHosts(
  { logicalHosts }: Configuration,
  { name, logicalHosts: hosts }: DataService,
): readonly Problem[] {
  const at = ['dataServices', name, 'logicalHosts']
  return [
    ...findTwice(at, hosts, (host) => `data service ${name} names logical host ${host} twice`),
    ...hosts.flatMap((host, index): readonly Problem[] => {
      if (logicalHosts.has(host)) return []
      const message = `data service ${name} names logical host ${host}, which is not configured`
      const hint = `Configured are: ${[...logicalHosts.keys()].join(', ') || 'none'}.`
      return [{ code: 'NOT_FOUND', path: [...at, index], message, hint }]
    }),
  ]
}

function checkTexts({ name, baseDirectory, version, apiVersion, packages }: DataService): readonly Problem[] {
  const at = ['dataServices', name]
  const texts = { version, apiVersion, baseDirectory }
  const isText = (text: string): boolean => text.length <= TEXT_LENGTH_MAX && !/[\n\r,]/.test(text)
  return [
    ...Object.entries(texts).flatMap(([field, text]) =>
      isText(text)
        ? []
        : [
            invalid(
              [...at, field],
              `the ${field} of data service ${name} is too long, or holds a comma or a line break`,
            ),
          ],
    ),
    ...(packages.length <= PARTS_MAX && packages.every((text) => text !== '' && isText(text))
      ? []
      : [invalid([...at, 'packages'], `the packages of data service ${name} are too many, or hold what is no name`)]),
  ]
}

function findCycles({ dataServices }: Configuration): readonly Problem[] {
  const done = new Set<DataServiceName>()
  return [...dataServices.keys()].flatMap((name) => {
    const cycle = findCycle(dataServices, name, done)
    if (cycle === undefined) return []
    for (const member of cycle) done.add(member)
    const message = `data services depend on each other in a circle: ${[...cycle, cycle[0]].join(' -> ')}`
    return [{ code: 'DEPENDENCY_CYCLE' as const, path: ['dataServices', name, 'dependsOn'], message }]
  })
}

/** Walks down the dependencies of one service without recursion, as a chain may be 500 long; returns the circle that it is part of. */
function findCycle(
  services: ReadonlyMap<DataServiceName, DataService>,
  start: DataServiceName,
  done: ReadonlySet<DataServiceName>,
): readonly DataServiceName[] | undefined {
  if (done.has(start)) return undefined
  const cameFrom = new Map<DataServiceName, DataServiceName>()
  const waiting = [start]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const next of services.get(name)?.dependsOn ?? []) {
      if (next === start) return trace(cameFrom, start, name)
      if (cameFrom.has(next)) continue
      cameFrom.set(next, name)
      waiting.push(next)
    }
  }
  return undefined
}

function trace(
  cameFrom: ReadonlyMap<DataServiceName, DataServiceName>,
  start: DataServiceName,
  end: DataServiceName,
): readonly DataServiceName[] {
  const backwards = [end]
  for (let name = end; name !== start; ) {
    name = cameFrom.get(name) ?? start
    backwards.push(name)
  }
  return start === end ? [start] : backwards.toReversed()
}

function invalid(path: ProblemPath, message: string, hint?: string): Problem {
  return { code: 'CONFIG_INVALID', path, message, ...(hint !== undefined && { hint }) }
}
