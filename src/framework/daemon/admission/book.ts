import { HaError } from '../../errors/ha-error.ts'
import type { Admission, Authority, JoinToken } from '../../model/admission.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import type { ConfigurationChange } from '../../model/configuration-change.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import type { Guard, RecordKey } from '../../ports/cluster-database.ts'
import {
  type Draft,
  draftsOfConfiguration,
  putAdmission,
  putJoinToken,
  putJournal,
  remove,
  toWrite,
} from '../../records/encode.ts'
import { JOURNAL_KEY, keyOf } from '../../records/keys.ts'
import type { Host } from '../host.ts'

/** What is known of who belongs to the cluster. */
export interface AdmissionsSeen {
  readonly authority: Authority | undefined
  readonly admissions: ReadonlyMap<string, Admission>
  readonly tokens: ReadonlyMap<string, JoinToken>
  readonly state: ClusterState
}

/** One change of who belongs to the cluster, or of the configuration with it. */
export type AdmissionChange =
  | { readonly kind: 'put-admission'; readonly admission: Admission }
  | { readonly kind: 'put-token'; readonly token: JoinToken }
  | { readonly kind: 'delete-token'; readonly id: string }
  | { readonly kind: 'configuration'; readonly change: ConfigurationChange }

/** Decides changes from what is known, or throws why not. `members`: hosts whose membership the decision rests on. */
export type DecideAdmission = (seen: AdmissionsSeen) => {
  readonly changes: readonly AdmissionChange[]
  readonly members: readonly PhysicalHostName[]
}

/** Each lost race means that somebody else's change went through. */
const TRIES_MAX = 20

/** The records of who belongs to the cluster, as this host has read them last, and the one way to change them. */
export class AdmissionBook {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  seen(): AdmissionsSeen {
    const { admissions } = this.#host.view
    const { authority } = admissions
    return { authority, admissions: admissions.byName(), tokens: admissions.tokens(), state: this.#host.state() }
  }

  /** Commits what is decided, if nothing that it rests on has changed meanwhile; else it is decided again. Throws what `decide` throws, `LOST_RACE`, `DATABASE_*`. */
  async change(decide: DecideAdmission): Promise<void> {
    const { parts, view, knowledge } = this.#host
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (tries > 0) await this.#host.readAgain()
      const { changes, members } = decide(this.seen())
      if (changes.length === 0) return
      const drafts = changes.flatMap((change) => this.#draftsOf(change))
      const outcome = await parts.database.commit(this.#guardsOf(drafts, members), drafts.map(toWrite), {
        durability: 'durable',
      })
      if (outcome.kind === 'lost-race') continue
      knowledge.take(view.committed(outcome.revision, drafts))
      return
    }
    throw new HaError('LOST_RACE', `who belongs to the cluster changed ${TRIES_MAX} times while it was being changed`)
  }

  #draftsOf(change: AdmissionChange): readonly Draft[] {
    switch (change.kind) {
      case 'put-admission':
        return [putAdmission(change.admission)]
      case 'put-token':
        return [putJoinToken(change.token)]
      case 'delete-token':
        return [remove(keyOf.joinToken(change.id))]
      case 'configuration':
        // Plans and configurations never pass each other unseen: both are guarded on the journal.
        return [...draftsOfConfiguration(change.change), putJournal(this.#host.view.journal())]
    }
  }

  #guardsOf(drafts: readonly Draft[], members: readonly PhysicalHostName[]): readonly Guard[] {
    const touchesConfiguration = drafts.some(({ key }) => key === JOURNAL_KEY)
    const keys = new Set<RecordKey>([...drafts.map(({ key }) => key), ...members.map(keyOf.member)])
    if (touchesConfiguration) keys.add(JOURNAL_KEY)
    return [...keys].map((key) => this.#host.view.guardOf(key))
  }
}
