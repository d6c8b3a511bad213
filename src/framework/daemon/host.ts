import { type CommitHalfParts, commitHalf, type HalfCommitted } from '../execute/commit-half.ts'
import { type CommittedPlan, commitPlan, type PlanRequest } from '../execute/commit-plan.ts'
import type { DueHalf } from '../execute/execute-half.ts'
import type { Timings } from '../model/cluster-config.ts'
import type { ClusterState, Member } from '../model/cluster-state.ts'
import type { HalfRun } from '../model/timeline.ts'
import { advance } from '../plan/advance.ts'
import { checkPlan } from '../plan/check-plan.ts'
import { describeCause } from '../plan/describe.ts'
import { plan } from '../plan/planner.ts'
import type { ClusterView } from '../records/cluster-view.ts'
import { Knowledge } from './knowledge.ts'
import { Lane } from './lane.ts'
import { Life } from './life.ts'
import type { HostParts } from './parts.ts'

/** What all parts of the loop share: what is known, the one way to plan and commit, and the life they are part of. */
export class Host {
  readonly parts: HostParts
  readonly life = new Life()
  readonly knowledge: Knowledge
  readonly #commitParts: CommitHalfParts
  readonly #planning = new Lane()
  /** The incarnation of this life; 0 before the host is a member. */
  incarnation = 0
  /** When this life became a member, or was carried on; own monotonic clock. */
  joinedAtMs = Number.POSITIVE_INFINITY

  constructor(parts: HostParts) {
    this.parts = parts
    this.knowledge = new Knowledge(parts, this.life.signal)
    this.#commitParts = {
      database: parts.database,
      view: this.knowledge.view,
      effects: parts.effects,
      planning: { plan, check: checkPlan },
      me: parts.host,
      journalMax: parts.settings.journalMax,
      onTouched: (touched) => this.knowledge.take(touched),
      recordPlan: (input) => parts.recordPlan(input),
      advance,
      submitPlan: (request) => this.submit(request),
    }
  }

  get view(): ClusterView {
    return this.knowledge.view
  }

  state(): ClusterState {
    return this.view.state()
  }

  timings(): Timings {
    return this.state().cluster.timings
  }

  /** This host's member record if it is of the present life. */
  ownMember(): Member | undefined {
    const member = this.view.isConfigured ? this.state().members.get(this.parts.host) : undefined
    return member?.incarnation === this.incarnation ? member : undefined
  }

  /** Plans and commits, one plan at a time. Throws what `commitPlan` throws. */
  submit(request: PlanRequest): Promise<CommittedPlan | null> {
    // What it asks for is most often done here, or comes here.
    this.parts.expectCalls?.()
    return this.#planning.run(async () => {
      const made = await commitPlan(this.#commitParts, request)
      if (made !== null) this.#logPlan(made)
      return made
    })
  }

  /** Commits the end of a half. Throws what `commitHalf` throws. */
  commitHalf(due: DueHalf, run: HalfRun): Promise<HalfCommitted> {
    return commitHalf(this.#commitParts, due, run)
  }

  /** Reads the whole database again, now. */
  async readAgain(): Promise<void> {
    this.knowledge.take(this.view.reset(await this.parts.database.read()))
  }

  #logPlan({ plan: { number, cause, because } }: CommittedPlan): void {
    const { log } = this.parts
    const facts = because.length === 0 ? {} : { facts: { because: because.slice(0, BECAUSE_LOGGED_MAX) } }
    log.write({ level: 'info', reconfiguration: number, message: describeCause(cause), ...facts })
  }
}

/** The whole list is in the journal. */
const BECAUSE_LOGGED_MAX = 10
