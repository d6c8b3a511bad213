/**
 * Acts as clustd for the tests of its guard: the production guard client, drivers and method runner in a process of its own that can be stopped and
 * killed. It does what it is told over the channel of `fork`, and extends its deadline by itself once it is armed.
 */

import { spawn } from 'node:child_process'
import { isHaError } from '../../../src/framework/errors/ha-error.ts'
import { composeHands } from '../../../src/framework/failfast/compose-hands.ts'
import { createGuardClient } from '../../../src/framework/failfast/guard-client.ts'
import type { Timings } from '../../../src/framework/model/cluster-config.ts'
import type { Guard, Holding } from '../../../src/framework/ports/guard.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'

/** What an acting clustd is told when it starts. */
export interface ActingOptions {
  readonly root: string
  readonly cluster: string
  readonly physicalHost: string
  readonly program: string
  readonly timings: Timings
  readonly rebootCommand: readonly string[]
}

/** What it can be told afterwards; the answer is a `Reply`. */
export type Request =
  | { readonly kind: 'former-life' }
  | { readonly kind: 'abort-remains' }
  | { readonly kind: 'prepare' }
  | { readonly kind: 'arm' }
  | { readonly kind: 'live'; readonly incarnation: number }
  | { readonly kind: 'hold'; readonly holdings: readonly Holding[] }
  /** Holds it first, then imports, starts and brings up, as the executor does. */
  | { readonly kind: 'take-on'; readonly holding: Holding; readonly start: string }
  | { readonly kind: 'stop-extending' }
  | { readonly kind: 'extend' }
  | { readonly kind: 'fire'; readonly why: string }
  | { readonly kind: 'disarm' }
  /** Starts a command that is under way, as a driver's would be. */
  | { readonly kind: 'start-command' }

/** The answer to a request. */
export type Reply =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

const options = JSON.parse(process.argv[2] ?? '{}') as ActingOptions
const effects = createRealEffects()
const hands = composeHands({ ...options, pathDirectories: [] }, effects)
const guard: Guard = createGuardClient({
  ...options,
  pathDirectories: [],
  timings: () => options.timings,
  hands,
  log: { write: ({ message }) => console.log(message) },
})
const { stampMs, guardMs } = options.timings
let isExtending = false

async function obey(request: Request): Promise<unknown> {
  switch (request.kind) {
    case 'former-life':
      return guard.formerLife()
    case 'abort-remains':
      return guard.abortRemains()
    case 'prepare':
      return guard.prepare()
    case 'arm':
      await guard.arm(effects.nowMonotonicMs() + guardMs)
      isExtending = true
      void keepExtending()
      return guard.deadlineMs()
    case 'live':
      return guard.live(request.incarnation)
    case 'hold':
      return guard.hold(request.holdings)
    case 'take-on':
      return takeOn(request.holding, request.start)
    case 'stop-extending':
      isExtending = false
      return undefined
    case 'extend':
      return guard.extend(effects.nowMonotonicMs() + guardMs)
    case 'fire':
      return guard.fire(request.why)
    case 'disarm':
      isExtending = false
      return guard.disarm()
    case 'start-command':
      return spawn('sleep', ['3600'], { stdio: 'ignore', detached: true }).pid
  }
}

async function keepExtending(): Promise<void> {
  for (;;) {
    const sentMs = effects.nowMonotonicMs()
    await effects.sleep(stampMs)
    if (!isExtending) return
    await guard.extend(sentMs + guardMs).catch((error: unknown) => console.log(String(error)))
  }
}

async function takeOn(holding: Holding, start: string): Promise<void> {
  await guard.hold([holding])
  const { signal } = new AbortController()
  for (const { diskGroup, mountPoint } of holding.diskGroups) {
    await hands.diskGroups[diskGroup.kind].import(diskGroup, { mountPoint, force: false, signal })
  }
  const { logicalHost, reconfiguration, generation, pathPrefix } = holding
  for (const { name: service } of holding.services) {
    const call = { logicalHost, reconfiguration, generation, pathPrefix, service, program: start, signal }
    await hands.methods.run({ ...call, method: 'START', lists: [logicalHost, ''], timeoutMs: 20_000 })
  }
  for (const { address, adapter } of holding.addresses) {
    await hands.addresses[address.kind].up({ address, adapter, signal })
  }
}

process.on('message', (request: Request) => {
  obey(request).then(
    (value) => process.send?.({ kind: 'done', value } satisfies Reply),
    (error: unknown) => {
      const code = isHaError(error) ? error.code : 'INTERNAL'
      process.send?.({ kind: 'failed', code, message: String(error) } satisfies Reply)
    },
  )
})
