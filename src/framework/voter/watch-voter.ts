import { describeError } from '../errors/ha-error.ts'
import { isSameValue } from '../model/same-value.ts'
import type { Effects } from '../ports/effects.ts'
import { boundLog } from './bounded-log.ts'
import type { EtcdCalls, EtcdMember, EtcdStatus } from './etcd-calls.ts'
import { isReachedAt } from './etcd-flags.ts'
import type { EtcdProcess } from './etcd-process.ts'
import { createRetuner, type Retuner } from './retune.ts'
import type { VoterPhase } from './state-file.ts'
import { localEndpoint, peerUrlsOf, readVoterFile, type VoterFile, writeVoterFile } from './voter-file.ts'
import { voterPaths } from './voter-paths.ts'

/** How often an etcd is looked at that runs, and one that is on its way. */
const LOOK_EVERY_MS = 1000
const LOOK_OFTEN_MS = 100
/** Looks between two rounds of what is not urgent. */
const ROUNDS_APART = 10
/** An etcd that answered before and is silent for so long is stuck: it is ended, and started again. */
const STUCK_AFTER_MS = 30_000

/** What watching one life of etcd takes. */
export interface Watching {
  readonly root: string
  readonly effects: Effects
  readonly calls: EtcdCalls
  readonly voter: VoterFile
  readonly etcd: EtcdProcess
  /** Aborts when etcd has ended, or is to. */
  readonly signal: AbortSignal
  log(sentence: string): void
  become(phase: VoterPhase, complaint: string): void
}

/** Watches one life of etcd until `signal` aborts. What is returned tells whether it was ended on purpose, to start again at once. */
export function watchVoter(watching: Watching): { readonly isIntended: boolean } {
  const watch = new Watch(watching)
  void watch.run()
  return watch
}

/** Whether a voter's file still means the same life of it. */
export function isSameVoter(one: VoterFile | undefined, other: VoterFile): boolean {
  return one !== undefined && one.id === other.id
}

class Watch {
  readonly #parts: Watching
  readonly #endpoint: string
  readonly #retuner: Retuner
  #voter: VoterFile
  #answeredMs: number | undefined
  #round = 0
  #refusal = ''
  isIntended = false

  constructor(parts: Watching) {
    this.#parts = parts
    this.#voter = parts.voter
    this.#endpoint = localEndpoint(parts.voter)
    this.#retuner = createRetuner(parts)
  }

  async run(): Promise<void> {
    const { effects, signal, log } = this.#parts
    while (!signal.aborted && !this.isIntended) {
      let isUnderWay = true
      try {
        isUnderWay = await this.#look()
      } catch (error) {
        if (!signal.aborted) log(`looking at etcd failed: ${describeError(error)}`)
      }
      await effects.sleep(isUnderWay ? LOOK_OFTEN_MS : LOOK_EVERY_MS, signal).catch(() => undefined) // The loop looks.
    }
  }

  /** Returns whether to look again soon. */
  async #look(): Promise<boolean> {
    const { calls, become, root } = this.#parts
    const file = readVoterFile(root)
    if (!isSameVoter(file, this.#voter)) return this.#beginAnew('this machine joined anew')
    if (file?.isAlone === true && !this.#voter.isAlone) return this.#beginAnew('it is to be the only voter')
    if (file !== undefined) this.#voter = { ...this.#voter, addresses: file.addresses }
    const status = await calls.status(this.#endpoint).catch(() => undefined)
    if (this.#parts.signal.aborted) return false
    if (status === undefined) return this.#withoutAnswer()
    this.#answeredMs = this.#parts.effects.nowMonotonicMs()
    this.#noteStarted()
    if (status.isLearner) {
      become('learning', '')
      await this.#askForPromotion(status)
      return true
    }
    become('running', status.leader === '0' ? 'it knows no leader: too few of the other voters can be reached' : '')
    if (status.leader === '0') return true
    // Who waits for new addresses is an operator.
    const isMoved = !isReachedAt(this.#parts.etcd.flags, this.#voter)
    if (isMoved || this.#round % ROUNDS_APART === 0) await this.#doTheRounds(status)
    this.#round += 1
    return false
  }

  /** Returns whether to look again soon. */
  #withoutAnswer(): boolean {
    const { effects, etcd, log, become } = this.#parts
    if (this.#answeredMs === undefined) return true
    const silentMs = effects.nowMonotonicMs() - this.#answeredMs
    become('running', 'etcd does not answer')
    if (silentMs > STUCK_AFTER_MS) {
      log(`etcd (process ${etcd.pid}) has not answered for ${Math.round(silentMs / 1000)} s: ended by force`)
      etcd.kill()
    }
    return true
  }

  /** From now on its data have to be there. */
  #noteStarted(): void {
    if (this.#voter.hasStarted && !this.#voter.isAlone) return
    // Once: with the next start it takes part in whatever its cluster is then.
    this.#keep({ hasStarted: true, isAlone: false })
  }

  /** Any voter can be asked; a learner itself answers no such question. Until it has caught up, they say no. */
  async #askForPromotion({ id }: EtcdStatus): Promise<void> {
    const { calls, log } = this.#parts
    const promote = async (endpoint: string): Promise<true> => {
      const changed = await calls.promote(endpoint, id)
      return changed.kind === 'done' ? true : Promise.reject(new Error(changed.message))
    }
    // All at once: with the network of one endpoint those of others may be lost as well.
    const isPromoted = await Promise.any(this.#voter.others.map(promote)).catch(() => false)
    if (isPromoted) log(`${this.#voter.name} has caught up, and votes from now on`)
  }

  /** What is not urgent: who the others are, the length of the logs, the size of the file, the tuning. */
  async #doTheRounds(status: EtcdStatus): Promise<void> {
    const { calls, root, log } = this.#parts
    for (const path of [voterPaths(root).log, voterPaths(root).supervisorLog]) boundLog(path)
    const members = await calls.members(this.#endpoint)
    const others = members.flatMap(({ id, clientUrls }) => (id === status.id ? [] : clientUrls)).toSorted()
    if (!isSameValue(others, this.#voter.others)) this.#keep({ others })
    await this.#tellAddresses(members.find(({ id }) => id === status.id))
    if (await calls.isFull(this.#endpoint, status.id)) {
      log('the file of etcd is full: making space')
      await calls.makeSpace(this.#endpoint, status.id)
    }
    const retuned = await this.#retuner.retune(this.#voter, status)
    if (retuned === undefined) return
    this.#keep({ tuning: retuned.tuning })
    await this.#beginAnew(retuned.why)
  }

  /** Tells the others where to speak to this voter, once it listens there. */
  async #tellAddresses(own: EtcdMember | undefined): Promise<void> {
    const { calls, etcd, log } = this.#parts
    const wanted = peerUrlsOf(this.#voter)
    if (own === undefined || !isReachedAt(etcd.flags, this.#voter)) return
    if (isSameValue(own.peerUrls.toSorted(), wanted.toSorted())) return
    const changed = await calls.updateMember(this.#endpoint, own.id, wanted)
    const refusal = changed.kind === 'done' ? '' : changed.message
    if (changed.kind === 'done') log(`the others reach this voter at ${wanted.join(', ')}`)
    else if (refusal !== this.#refusal) log(`the others cannot be told where this voter is reached: ${refusal}`)
    this.#refusal = refusal
  }

  async #beginAnew(why: string): Promise<boolean> {
    this.#parts.log(`starting etcd anew: ${why}`)
    this.isIntended = true
    await this.#parts.etcd.stop()
    return false
  }

  #keep(change: Partial<VoterFile>): void {
    const { root, signal } = this.#parts
    const file = readVoterFile(root)
    // Whoever wrote the file meanwhile meant another life; and what this one had under way when it ended is of no interest any more.
    if (signal.aborted || file === undefined || !isSameVoter(file, this.#voter)) return
    this.#voter = { ...this.#voter, ...change }
    writeVoterFile(root, { ...file, ...change })
  }
}
