/** Runs drivers inside the namespaces of a host: reads calls from standard input, one JSON value per line, and answers likewise. */
import { createInterface } from 'node:readline'
import { ipAddressDriver } from '../../../src/framework/drivers/address/ip.ts'
import { fileSystemDriver } from '../../../src/framework/drivers/disk-group/filesystem.ts'
import { groupedAddresses } from '../../../src/framework/drivers/network/grouped-addresses.ts'
import { watchLinks } from '../../../src/framework/drivers/network/links.ts'
import { RealPublicAdapters } from '../../../src/framework/drivers/network/public-adapters.ts'
import { HaError } from '../../../src/framework/errors/ha-error.ts'
import type { Links } from '../../../src/framework/ports/links.ts'
import type { AddressMove } from '../../../src/framework/ports/public-adapters.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import type { Answer, HostSettings, Request } from './wire.ts'

const settings = JSON.parse(process.argv[2] ?? '') as HostSettings
const host = { ...settings, effects: createRealEffects() }
let watched: Links | undefined
/** Watched from the first question on. */
const links = {
  read: async () => {
    watched ??= watchLinks(host, { warn: (message) => process.stderr.write(`${message}\n`) })
    await watched.ready
    return { adapters: [...(watched.adapters()?.values() ?? [])], traffic: [...watched.traffic()] }
  },
}
const adapters = new RealPublicAdapters(host, { warn: (message) => process.stderr.write(`${message}\n`) })
const ip = ipAddressDriver(host, { announceAgainAfterMs: settings.announceAgainAfterMs })
const drivers: Readonly<Record<string, object>> = {
  adapters: {
    setGroups: adapters.setGroups.bind(adapters),
    findCarrier: adapters.findCarrier.bind(adapters),
    ask: adapters.ask.bind(adapters),
    separate: adapters.separate.bind(adapters),
    remember: adapters.remember.bind(adapters),
    ready: () => adapters.links.ready,
    move: (order: AddressMove & { readonly signal: AbortSignal }) => adapters.move(order, order.signal),
  },
  grouped: groupedAddresses(ip, adapters.places, host.effects),
  links,
  filesystem: fileSystemDriver(host),
  ip,
}
const running = new Map<number, AbortController>()

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request
  if (request.kind === 'abort') running.get(request.id)?.abort(new Error('cut off by the test'))
  else void answer(request)
}

async function answer(request: Extract<Request, { kind: 'call' }>): Promise<void> {
  const controller = new AbortController()
  if (request.isAborted) controller.abort(new Error('cut off by the test'))
  running.set(request.id, controller)
  const words = request.words.map((word) => addSignal(word, controller.signal))
  try {
    const method = (drivers[request.driver] as Record<string, (...words: readonly unknown[]) => Promise<unknown>>)[
      request.method
    ]
    print({ id: request.id, kind: 'value', value: (await method?.(...words)) ?? null })
  } catch (error) {
    const json = error instanceof HaError ? error.toJSON() : null
    print({
      id: request.id,
      kind: 'error',
      error: json,
      text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }
  running.delete(request.id)
}

/** A signal does not travel in JSON: the last argument of every method is the call, which gets one of this process. */
function addSignal(word: unknown, signal: AbortSignal): unknown {
  return typeof word === 'object' && word !== null && 'needsSignal' in word ? { ...word, signal } : word
}

function print(message: Answer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
