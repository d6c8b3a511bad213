import type { Effects } from '../../src/framework/ports/effects.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

type Power = 'on' | 'frozen' | 'suspended' | 'off'

/**
 * One physical host: clocks that drift, and processes. `frozen`: nothing runs, the clocks go on (a stopped container, a starved machine);
 * `suspended`: nothing runs, and the monotonic clock stands still while boot time goes on.
 */
export class Machine {
  readonly name: string
  readonly time: VirtualTime
  readonly random: Random
  /** Speed of its clock; 1 = true time. DESIGN bounds it to 1 % off. */
  readonly #rate: number
  readonly #offsetMs: number
  readonly #processes = new Set<Process>()
  #power: Power = 'on'
  #frozenAtMs = 0
  #suspendedMs = 0
  /** True time at which it began to run again after it had stood still; -Infinity = never stood still. */
  wokeAtMs = -Infinity

  constructor(name: string, time: VirtualTime, random: Random) {
    this.name = name
    this.time = time
    this.random = random
    this.#rate = random.between(0.996, 1.004)
    this.#offsetMs = random.between(0, 1_000_000)
  }

  get isOn(): boolean {
    return this.#power !== 'off'
  }

  /** Whether its processes run. */
  get isRunning(): boolean {
    return this.#power === 'on'
  }

  /** Starts a process; it dies with the machine. */
  spawn(name: string): Process {
    const process = new Process(name, this)
    this.#processes.add(process)
    return process
  }

  freeze(kind: 'frozen' | 'suspended'): void {
    if (this.#power !== 'on') return
    this.#power = kind
    this.#frozenAtMs = this.time.nowMs
  }

  wake(): void {
    if (this.#power !== 'frozen' && this.#power !== 'suspended') return
    if (this.#power === 'suspended') this.#suspendedMs += this.time.nowMs - this.#frozenAtMs
    this.#power = 'on'
    this.wokeAtMs = this.time.nowMs
    for (const process of this.#processes) process.flush()
  }

  /** Cuts the power: every process is gone at once. */
  crash(): void {
    this.#power = 'off'
    for (const process of this.#processes) process.kill()
    this.#processes.clear()
  }

  powerOn(): void {
    this.#power = 'on'
    this.#suspendedMs = 0
    this.wokeAtMs = -Infinity
  }

  forget(process: Process): void {
    this.#processes.delete(process)
  }

  nowMonotonicMs(): number {
    const standing = this.#power === 'suspended' ? this.time.nowMs - this.#frozenAtMs : 0
    return this.#offsetMs + (this.time.nowMs - this.#suspendedMs - standing) * this.#rate
  }

  nowBootMs(): number {
    return this.#offsetMs + this.time.nowMs * this.#rate
  }

  /** True milliseconds that its clock needs for `ms` of its own. */
  trueMs(ms: number): number {
    return ms / this.#rate
  }
}

/** One process of a machine: what it waits for happens only while it runs; a dead one waits for ever. */
export class Process {
  readonly name: string
  readonly machine: Machine
  #state: 'running' | 'stopped' | 'dead' = 'running'
  readonly #held: (() => void)[] = []

  constructor(name: string, machine: Machine) {
    this.name = name
    this.machine = machine
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Lets `run` happen in this process, `delayMs` of true time from now or when it runs again; never once it is dead. */
  post(delayMs: number, run: () => void): void {
    this.machine.time.after(delayMs, () => {
      if (this.#state === 'dead') return
      if (this.#state === 'stopped' || !this.machine.isRunning) this.#held.push(run)
      else run()
    })
  }

  /** SIGSTOP. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped'
  }

  /** SIGCONT. */
  resume(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'running'
    this.flush()
  }

  /** SIGKILL. */
  kill(): void {
    this.#state = 'dead'
    this.#held.length = 0
    this.machine.forget(this)
  }

  /** Lets happen what was held back, in order, one event after the other. */
  flush(): void {
    for (const run of this.#held.splice(0)) this.post(0, run)
  }

  /** The clocks, the sleep and the chance of this process. */
  effects(): Effects {
    const { machine } = this
    const random = machine.random.split()
    return {
      nowMonotonicMs: () => machine.nowMonotonicMs(),
      nowBootMs: () => machine.nowBootMs(),
      nowWallMs: () => 1_700_000_000_000 + machine.time.nowMs,
      random: () => random.next(),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    }
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = (): void => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      // A real timer is a little late, never early.
      const lateMs = this.machine.random.between(0, 2)
      this.post(this.machine.trueMs(ms) + lateMs, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  }
}
