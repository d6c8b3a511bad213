import { describeError, HaError } from '../errors/ha-error.ts'
import type { Effects } from '../ports/effects.ts'
import { readLastLines } from './bounded-log.ts'
import { type Complaint, complaintOf } from './complaints.ts'
import type { EtcdCalls } from './etcd-calls.ts'
import { etcdFlags } from './etcd-flags.ts'
import { adoptEtcd, type EtcdProcess, startEtcd } from './etcd-process.ts'
import { findEtcd } from './find-etcd.ts'
import { prepareData } from './prepare-data.ts'
import { ownIdentity, type VoterPhase, type VoterState, writeVoterState } from './state-file.ts'
import { clientEndpoints, peerUrlsOf, readVoterFile, type VoterFile } from './voter-file.ts'
import { voterPaths } from './voter-paths.ts'
import { isSameVoter, watchVoter } from './watch-voter.ts'

/** The first restart is at once, the further ones later and later: what fails for a reason goes on failing. */
const BACKOFF_MS = [20, 100, 250, 500, 1000, 2000, 5000] as const
/** An etcd that ran so long had started well. */
const RAN_WELL_MS = 10_000
/** How often something is looked at again that only an operator can change. */
const LOOK_AGAIN_MS = 1000

/** What a supervisor is made of. */
export interface SupervisorParts {
  readonly root: string
  readonly effects: Effects
  readonly calls: EtcdCalls
  /** Takes one sentence for each event. */
  log(sentence: string): void
}

/** Keeps one etcd running: starts it, takes one over that runs already, starts it again when it ends, and ends it in order when it is told to. */
export class Supervisor {
  readonly #parts: SupervisorParts
  readonly #ender = new AbortController()
  #state: VoterState
  #failures = 0
  #lastSaid = ''

  constructor(parts: SupervisorParts) {
    this.#parts = parts
    this.#state = {
      phase: 'stopped',
      name: '',
      endpoint: '',
      etcdPid: 0,
      starts: 0,
      complaint: '',
      remedy: '',
      changedWallMs: 0,
      supervisor: ownIdentity(),
    }
  }

  /** Ends etcd in order, and then `run`. */
  tellToEnd(): void {
    this.#ender.abort(new Error('told to end'))
  }

  /** Goes on until it is told to end. */
  async run(): Promise<void> {
    const { signal } = this.#ender
    while (!signal.aborted) {
      try {
        await this.#liveOnce()
      } catch (error) {
        this.#complain('failing', toComplaint(error))
        await this.#pause(LOOK_AGAIN_MS)
      }
    }
    this.#become('stopped', { etcdPid: 0 })
  }

  /** One life of etcd. */
  async #liveOnce(): Promise<void> {
    const { root, effects, log } = this.#parts
    const voter = readVoterFile(root)
    if (voter === undefined) {
      throw new HaError('NOT_SET_UP', 'this machine has no voter', {
        hint: 'scadmin setup --database etcd, or scadmin join',
      })
    }
    this.#become(this.#state.phase, { name: voter.name, endpoint: clientEndpoints(voter).join(', ') })
    // After a long absence it may have been taken out, or the others may have gone on without it for good: then it must not meet others of that kind.
    const isFirst = this.#state.starts === 0 && voter.hasStarted && adoptEtcd(this.#parts.root, effects) === undefined
    if (isFirst && (await this.#isRemoved(voter))) return this.#rest(voter)
    const etcd = await this.#adoptOrStart(voter)
    const startedMs = effects.nowMonotonicMs()
    const watching = new AbortController()
    const watch = watchVoter({
      ...this.#parts,
      voter,
      etcd,
      signal: AbortSignal.any([watching.signal, this.#ender.signal]),
      become: (phase, complaint) => this.#become(phase, { complaint, remedy: '' }),
    })
    const how = await Promise.race([etcd.ended, aborted(this.#ender.signal)])
    watching.abort(new Error('etcd has ended'))
    if (how === undefined) {
      await etcd.stop()
      log(`ended etcd (process ${etcd.pid})`)
      return
    }
    this.#become('failing', { etcdPid: 0 })
    if (watch.isIntended) return
    if (effects.nowMonotonicMs() - startedMs > RAN_WELL_MS) this.#failures = 0
    await this.#recover(voter, how, etcd.logFrom)
  }

  async #adoptOrStart(voter: VoterFile): Promise<EtcdProcess> {
    const { root, effects, log } = this.#parts
    const running = adoptEtcd(root, effects)
    if (running !== undefined) {
      log(`took over etcd (process ${running.pid}), which ran already`)
      this.#become('starting', { etcdPid: running.pid })
      return running
    }
    const program = await findEtcd()
    const done = prepareData(root, voter)
    if (done !== '') log(done)
    const etcd = await startEtcd(root, program.path, etcdFlags(root, voter), effects)
    log(`started etcd ${program.version} as process ${etcd.pid}: ${voter.name} at ${clientEndpoints(voter).join(', ')}`)
    this.#become('starting', { etcdPid: etcd.pid, starts: this.#state.starts + 1 })
    return etcd
  }

  /** Says why it ended, and waits before it is started again; one that is not wanted any more rests. */
  async #recover(voter: VoterFile, how: string, logFrom: number): Promise<void> {
    const complaint = complaintOf(readLastLines(voterPaths(this.#parts.root).log, logFrom))
    if (await this.#isRemoved(voter)) return this.#rest(voter)
    this.#complain('failing', { ...complaint, what: `etcd ended (${how}): ${complaint.what}` })
    await this.#pause(BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 0)
    this.#failures += 1
  }

  /** Waits until this machine joins anew, or is told that it is the only one left. */
  async #rest(voter: VoterFile): Promise<void> {
    const { root } = this.#parts
    this.#complain('removed', {
      what: `${voter.name} was taken out of the voters`,
      remedy: 'Nothing needs to be done. To let it vote again: scadmin join, or scadmin witness.',
    })
    const isAsItWas = (file: VoterFile | undefined): boolean => isSameVoter(file, voter) && file?.isAlone !== true
    while (!this.#ender.signal.aborted && isAsItWas(readVoterFile(root))) await this.#pause(LOOK_AGAIN_MS)
  }

  /** Asks the others whether this voter is still one of them. Nobody answers: then it is. */
  async #isRemoved(voter: VoterFile): Promise<boolean> {
    const own = peerUrlsOf(voter)
    const answers = await Promise.allSettled(voter.others.map((endpoint) => this.#parts.calls.members(endpoint)))
    const lists = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    return (
      lists.length > 0 &&
      lists.every((members) => !members.some(({ peerUrls }) => peerUrls.some((url) => own.includes(url))))
    )
  }

  #complain(phase: VoterPhase, { what, remedy }: Complaint): void {
    const sentence = remedy === '' ? what : `${what}. ${remedy}`
    // The same once: an etcd that fails every five seconds would fill the log otherwise.
    if (sentence !== this.#lastSaid) this.#parts.log(sentence)
    this.#lastSaid = sentence
    this.#become(phase, { complaint: what, remedy })
  }

  #become(phase: VoterPhase, change: Partial<VoterState>): void {
    const next = { ...this.#state, ...change, phase }
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return
    if (next.phase === 'running' && next.complaint === '') this.#lastSaid = ''
    this.#state = { ...next, changedWallMs: this.#parts.effects.nowWallMs() }
    try {
      writeVoterState(this.#parts.root, this.#state)
    } catch (error) {
      this.#parts.log(`the state cannot be written: ${describeError(error)}`)
    }
  }

  async #pause(ms: number): Promise<void> {
    await this.#parts.effects.sleep(ms, this.#ender.signal).catch(() => undefined) // Told to end: the loop looks.
  }
}

function toComplaint(error: unknown): Complaint {
  const remedy = error instanceof HaError ? (error.hint ?? '') : ''
  return { what: error instanceof HaError ? error.message : describeError(error), remedy }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
