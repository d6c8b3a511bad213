import type { MethodJson, ServiceJson } from '../../../framework/api/wire.ts'
import { HaError } from '../../../framework/errors/ha-error.ts'

/** Which part of a registration is asked for. */
export interface QueriedPart {
  readonly queryMethod: string | undefined
  readonly queryTimeout: string | undefined
  readonly queryDependencies: boolean
  readonly queryVersion: boolean
  readonly queryApiVersion: boolean
  readonly queryPackages: boolean
  readonly queryBase: boolean
}

/** Picks the part that is asked for, as lines; undefined when all is asked for. Throws `NOT_FOUND` for a method that is not registered. */
export function queriedValues(service: ServiceJson, part: QueriedPart): readonly string[] | undefined {
  if (part.queryMethod !== undefined) return [methodOf(service, part.queryMethod).program]
  if (part.queryTimeout !== undefined) return [String(methodOf(service, part.queryTimeout).timeoutS)]
  if (part.queryDependencies) return service.dependsOn
  if (part.queryVersion) return oneLine(service.version)
  if (part.queryApiVersion) return oneLine(service.apiVersion)
  if (part.queryPackages) return service.packages
  if (part.queryBase) return oneLine(service.baseDirectory)
  return undefined
}

function oneLine(value: string): readonly string[] {
  return value === '' ? [] : [value]
}

function methodOf({ name, methods }: ServiceJson, wanted: string): MethodJson {
  const found = methods.find(({ method }) => method === wanted)
  if (found !== undefined) return found
  throw new HaError('NOT_FOUND', `${name} has no method ${wanted}`, {
    hint: `It has ${methods.map(({ method }) => method).join(', ')}.`,
  })
}
