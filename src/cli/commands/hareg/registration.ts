import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RegisterRequest } from '../../../framework/api/wire.ts'
import { HaError } from '../../../framework/errors/ha-error.ts'
import { didYouMean } from '../../command/suggest.ts'

/**
 * What `dataservices/<name>/service.json` holds: a registration without its logical hosts. Paths of methods are relative to its folder.
 */
export interface ShippedService {
  readonly name: string
  /** One sentence, for lists of what there is. */
  readonly description: string
  readonly version: string
  readonly apiVersion: string
  /** By the name of the method. */
  readonly methods: Readonly<Record<string, { readonly program: string; readonly timeoutS: number }>>
  /** Default none. */
  readonly dependsOn?: readonly string[]
}

/** Reads the seconds of `hareg -t`. Throws `USAGE`. */
export function parseTimeouts(pairs: Readonly<Record<string, string>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(pairs).map(([method, text]) => {
      if (/^\d{1,9}$/.test(text)) return [method, Number(text)]
      throw new HaError('USAGE', `-t takes whole seconds, not ${method}=${text}`, {
        hint: 'For example: -t START=120,STOP=30',
      })
    }),
  )
}

/** Reads the registration of a data service that comes with Haven. Throws `NOT_FOUND`, `CONFIG_INVALID`. */
export async function readShippedService(folder: string, name: string): Promise<RegisterRequest> {
  const directory = join(folder, name)
  const path = join(directory, 'service.json')
  const text = await readFile(path, 'utf8').catch(async (cause: unknown) => {
    const names = await readdir(folder).catch(() => [])
    throw new HaError('NOT_FOUND', `no data service called '${name}' comes with Haven${didYouMean(name, names)}`, {
      hint: names.length === 0 ? `There is none in ${folder}.` : `There are: ${names.join(', ')}.`,
      cause,
    })
  })
  const shipped = parseShipped(path, text)
  const methods = Object.entries(shipped.methods)
  return {
    name: shipped.name,
    methods: Object.fromEntries(methods.map(([method, { program }]) => [method, program])),
    timeoutsS: Object.fromEntries(methods.map(([method, { timeoutS }]) => [method, timeoutS])),
    baseDirectory: directory,
    version: shipped.version,
    apiVersion: shipped.apiVersion,
    dependsOn: shipped.dependsOn ?? [],
  }
}

// The file is ours and clustd checks every field of a registration: this only keeps a broken file from being a bug of the command.
function parseShipped(path: string, text: string): ShippedService {
  try {
    const value = JSON.parse(text) as Partial<ShippedService>
    if (typeof value.name === 'string' && typeof value.methods === 'object' && value.methods !== null)
      return { description: '', version: '', apiVersion: '', ...value, name: value.name, methods: value.methods }
  } catch (cause) {
    throw new HaError('CONFIG_INVALID', `${path} is not JSON`, { cause })
  }
  throw new HaError('CONFIG_INVALID', `${path} has no name or no methods`)
}
