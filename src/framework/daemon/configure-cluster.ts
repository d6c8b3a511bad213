import { rememberFormerList } from '../configure/former-lists.ts'
import { HaError } from '../errors/ha-error.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import { actorOf } from '../model/mastery.ts'
import type { Guard, RecordKey, Snapshot, Write } from '../ports/cluster-database.ts'
import { decodeRecord } from '../records/decode.ts'
import { type Draft, draftsOf, draftsOfConfiguration, putJournal, toWrite } from '../records/encode.ts'
import { CLUSTER_KEY, CONFIGURATION_FOLDERS, isConfigurationKey, JOURNAL_KEY, keyOf } from '../records/keys.ts'
import type { Host } from './host.ts'

/** Each lost race means that somebody else's change or plan went through. */
const CONFIGURE_TRIES_MAX = 20

/** Decides changes of the configuration from the state, or throws why not. */
export type Decide = (state: ClusterState) => readonly ConfigurationChange[]

/**
 * Changes the configuration; asks again when something that the decision may rest on has changed meanwhile. The journal is written too, unchanged: so
 * plans and configurations never pass each other unseen. Returns the revision. Throws what `decide` throws, `LOST_RACE`, `DATABASE_*`.
 */
export async function configureCluster(host: Host, decide: Decide): Promise<number> {
  const { parts, view, knowledge } = host
  for (let tries = 0; tries < CONFIGURE_TRIES_MAX; tries += 1) {
    if (tries > 0) await host.readAgain()
    const state = host.state()
    const drafts = decide(state).flatMap((change) => [...draftsOfConfiguration(change), ...formerListOf(state, change)])
    if (drafts.length === 0) return view.revision
    const all: readonly Draft[] = [...drafts, putJournal(view.journal())]
    const guards = guardsOf(host, drafts)
    const outcome = await parts.database.commit(guards, all.map(toWrite), { durability: 'durable' })
    if (outcome.kind === 'committed') {
      knowledge.take(view.committed(outcome.revision, all))
      return outcome.revision
    }
  }
  throw new HaError('LOST_RACE', `the configuration changed ${CONFIGURE_TRIES_MAX} times while it was being changed`)
}

function formerListOf(state: ClusterState, change: ConfigurationChange): readonly Draft[] {
  if (change.kind !== 'put-logical-host') return []
  const remembered = rememberFormerList(state, change.logicalHost)
  return remembered === undefined ? [] : draftsOf({ kind: 'logical-host', state: remembered }, () => undefined)
}

function guardsOf({ view }: Host, drafts: readonly Draft[]): readonly Guard[] {
  // A logical host is at rest or in motion while its configuration is decided about: that must not change unseen either.
  const states = drafts.flatMap(({ key }) =>
    key.startsWith('logicalHosts/') ? [`mastery/${key.slice(key.indexOf('/') + 1)}`] : [],
  )
  const keys = new Set<RecordKey>([JOURNAL_KEY, ...drafts.map(({ key }) => key), ...states])
  return [...keys].map((key) => view.guardOf(key))
}

/**
 * Replaces the whole configuration by that of a backup. Throws `IN_USE` while anything is mastered or in motion, `RECORD_INVALID` when the backup holds
 * something that cannot be read, `LOST_RACE`, `DATABASE_*`.
 */
export async function restoreConfiguration(host: Host, records: Snapshot['records']): Promise<void> {
  const { parts, view } = host
  const state = host.state()
  const held = [...state.states.values()].filter(({ mastery }) => actorOf(mastery) !== undefined)
  if (held.length > 0) {
    throw new HaError('IN_USE', `the configuration is in use: ${held.map(({ name }) => name).join(', ')} is mastered`, {
      hint: 'Put all logical hosts into maintenance first: haswitch -m LOGICAL-HOST...',
    })
  }
  const wanted = [...records.values()].filter(({ key }) => isConfigurationKey(key))
  for (const { key, value } of wanted) decodeRecord(key, value)
  const keep = new Set(wanted.map(({ key }) => key))
  const present = CONFIGURATION_FOLDERS.flatMap((folder) => view.keysIn(folder))
  const states = [...state.states.keys()].map(keyOf.mastery)
  const writes: readonly Write[] = [
    ...wanted.map(({ key, value }): Write => ({ kind: 'put', key, value })),
    ...present.filter((key) => !keep.has(key)).map((key): Write => ({ kind: 'delete', key })),
    ...states
      .filter((key) => !keep.has(key.replace('mastery/', 'logicalHosts/')))
      .map((key): Write => ({ kind: 'delete', key })),
    toWrite(putJournal(view.journal())),
  ]
  const keys = new Set<RecordKey>([JOURNAL_KEY, CLUSTER_KEY, ...present, ...states])
  const guards = [...keys].map((key) => view.guardOf(key))
  const outcome = await parts.database.commit(guards, writes, { durability: 'durable' })
  await host.readAgain()
  if (outcome.kind === 'lost-race') {
    throw new HaError('LOST_RACE', `the record ${outcome.key} changed while the backup was being restored`)
  }
}
