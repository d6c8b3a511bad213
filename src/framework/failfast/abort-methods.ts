import { assertNever } from '../errors/assert-never.ts'
import { describeError } from '../errors/ha-error.ts'
import type { DataServiceName } from '../model/names.ts'
import type { Effects } from '../ports/effects.ts'
import type { AbortMethod, HeldService, Holding } from '../ports/guard.ts'
import type { MethodOutcome, MethodRunner } from '../ports/method-runner.ts'
import { type Ending, within } from './within.ts'

type AbortName = 'ABORT_NET' | 'ABORT'

/** The calls of one service: the last one of them, and how many are still to come. */
interface Line {
  last: Promise<unknown>
  readonly left: Record<AbortName, number>
}

/** ABORT_NET may use this part of the time of all methods; the rest is for ABORT. */
const NET_SHARE = 0.5

/**
 * Calls the ABORT methods of all logical hosts within one limit of time. Of one logical host they run one after the other, dependants first; of
 * one service never two at once. Each gets a fair share of what is left, so that one that hangs leaves time for the others.
 */
export class AbortMethods {
  private readonly endMs: Readonly<Record<AbortName, number>>
  private readonly hands: { readonly methods: MethodRunner; readonly effects: Effects }
  private readonly tell: (line: string) => void
  private readonly lines = new Map<DataServiceName, Line>()

  constructor(
    holdings: readonly Holding[],
    endMs: number,
    hands: { readonly methods: MethodRunner; readonly effects: Effects },
    tell: (line: string) => void,
  ) {
    const now = hands.effects.nowMonotonicMs()
    this.endMs = { ABORT_NET: now + Math.max(0, endMs - now) * NET_SHARE, ABORT: endMs }
    this.hands = hands
    this.tell = tell
    for (const { services } of holdings) for (const service of services) this.count(service)
  }

  /** Calls one method of every service of a logical host that has it. Never rejects. */
  async callAll(holding: Holding, name: AbortName): Promise<void> {
    const calls = holding.services.flatMap((service) => {
      const method = methodOf(service, name)
      return method === null ? [] : [{ service, method }]
    })
    for (const [index, { service, method }] of calls.entries()) {
      await this.inLine(service.name, name, (leftOfService) =>
        this.call(holding, service, name, method, Math.max(calls.length - index, leftOfService)),
      )
    }
  }

  private async call(
    holding: Holding,
    service: HeldService,
    name: AbortName,
    method: AbortMethod,
    sharers: number,
  ): Promise<void> {
    const { methods, effects } = this.hands
    const now = effects.nowMonotonicMs()
    const timeoutMs = Math.min(method.timeoutMs, (this.endMs[name] - now) / sharers)
    const ending = await within(effects, now + timeoutMs, (signal) =>
      methods.run({
        service: service.name,
        method: name,
        program: method.program,
        logicalHost: holding.logicalHost,
        // Nothing is mastered here any more: the first list is empty, the second names all.
        lists: ['', service.logicalHosts.join(',')],
        timeoutMs,
        reconfiguration: holding.reconfiguration,
        generation: holding.generation,
        pathPrefix: holding.pathPrefix,
        signal,
      }),
    )
    this.tell(`${holding.logicalHost}: ${name} of ${service.name} ${describe(ending)}`)
  }

  private count(service: HeldService): void {
    const { left } = this.lineOf(service.name)
    if (service.abortNet !== null) left.ABORT_NET += 1
    if (service.abort !== null) left.ABORT += 1
  }

  private lineOf(service: DataServiceName): Line {
    const line = this.lines.get(service) ?? { last: Promise.resolve(), left: { ABORT_NET: 0, ABORT: 0 } }
    this.lines.set(service, line)
    return line
  }

  private async inLine(
    service: DataServiceName,
    name: AbortName,
    call: (left: number) => Promise<void>,
  ): Promise<void> {
    const line = this.lineOf(service)
    const mine = line.last.then(() => call(line.left[name]))
    line.last = mine
    await mine
    line.left[name] -= 1
  }
}

function methodOf(service: HeldService, name: AbortName): AbortMethod | null {
  return name === 'ABORT' ? service.abort : service.abortNet
}

function describe(ending: Ending<MethodOutcome>): string {
  switch (ending.kind) {
    case 'done':
      return describeOutcome(ending.value)
    case 'failed':
      return `could not be called: ${describeError(ending.error)}`
    case 'late':
      return 'was not done in time'
    default:
      return assertNever(ending)
  }
}

function describeOutcome(outcome: MethodOutcome): string {
  switch (outcome.kind) {
    case 'succeeded':
      return 'succeeded'
    case 'failed':
      return `failed with exit code ${outcome.exitCode}`
    case 'killed':
      return `was killed by ${outcome.signal}`
    case 'timed-out':
      return 'was not done in time'
    default:
      return assertNever(outcome)
  }
}
