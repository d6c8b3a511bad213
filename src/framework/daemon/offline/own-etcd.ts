import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeError, HaError } from '../../errors/ha-error.ts'
import { type DatabasePlace, ETCD_ENDPOINTS_MAX, type EtcdPlace } from '../../model/database-place.ts'
import type { ClusterDatabase } from '../../ports/cluster-database.ts'
import { createRealEffects } from '../../ports/real-effects.ts'
import { type DatabaseOf, openDatabase } from '../../store/open-database.ts'
import { guardProblem } from '../../voter/tuning.ts'

/** Files and names that go with `--database etcd://...`. */
export interface EtcdOptions {
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
  readonly user?: string
  readonly passwordFile?: string
}

/** Milliseconds that a command waits for one answer of etcd: nobody's guard depends on it, an operator does. */
export const CALL_MS = 3000
/** Milliseconds that a command waits for an etcd that is just coming up. */
const OPEN_WITHIN_MS = 10_000
const PORT = 2379
/** What etcd does unless it is told otherwise. Nobody can ask it what it was told. */
const UNTUNED = { heartbeatMs: 100, electionMs: 1000 } as const

/** Opens the database of this host for a command. Throws `DATABASE_*`, `RECORD_INVALID`. */
export function openForCommand(host: DatabaseOf, { create = false } = {}): Promise<ClusterDatabase> {
  return openDatabase(host, {
    effects: createRealEffects(),
    create,
    callMs: () => CALL_MS,
    openWithinMs: OPEN_WITHIN_MS,
  })
}

/** Reads `etcd://HOST:PORT,...`; undefined when it is something else. Throws `USAGE`, and `CONFIG_INVALID` for files that cannot be read. */
export function parseEtcdPlace(text: string, options: EtcdOptions): EtcdPlace | undefined {
  const list = /^etcd:\/\/(.+)$/.exec(text)?.[1]
  if (list === undefined) return undefined
  const hosts = list.split(',')
  const bad = hosts.filter((host) => !/^([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?$/.test(host))
  if (bad.length > 0 || hosts.length > ETCD_ENDPOINTS_MAX) throw usageError(text)
  const scheme = options.ca === undefined && options.certificate === undefined ? 'http' : 'https'
  const withPort = hosts.map((host) => (/:\d+$/.test(host) ? host : `${host}:${PORT}`))
  return {
    kind: 'etcd',
    endpoints: [...new Set(withPort)].map((host) => `${scheme}://${host}`),
    isManaged: false,
    ...parseFiles(options),
  }
}

/** Says what an operator should know before a cluster relies on this etcd, one sentence each. Nothing about other databases. */
export async function etcdWarnings(place: DatabasePlace, guardMs: number): Promise<readonly string[]> {
  if (place.kind !== 'etcd' || place.isManaged) return []
  const { surveyEtcd, surveyWarnings } = await import('../../store/etcd/survey.ts')
  const survey = await surveyEtcd({ place, effects: createRealEffects(), callMs: CALL_MS })
  const problem = survey.voters === 1 ? '' : guardProblem(guardMs, UNTUNED)
  const untuned =
    problem === ''
      ? []
      : [`Unless this etcd was given a shorter --election-timeout than ${UNTUNED.electionMs}: ${problem}`]
  return [...surveyWarnings(survey), ...untuned]
}

function parseFiles({ ca, certificate, key, user, passwordFile }: EtcdOptions): Pick<EtcdPlace, 'tls' | 'login'> {
  if ((certificate === undefined) !== (key === undefined))
    throw new HaError('USAGE', 'a certificate goes with its key', {
      hint: 'Give both: --database-cert, --database-key',
    })
  if (certificate !== undefined && ca === undefined)
    throw new HaError('USAGE', 'a certificate goes with the authority of the servers', { hint: 'Add: --database-ca' })
  if ((user === undefined) !== (passwordFile === undefined))
    throw new HaError('USAGE', 'a user goes with a password', {
      hint: 'Give both: --database-user, --database-password-file',
    })
  const readable = (path: string): string => refuseUnreadable(resolve(path))
  return {
    ...(ca !== undefined && {
      tls: {
        ca: readable(ca),
        ...(certificate !== undefined && { certificate: readable(certificate) }),
        ...(key !== undefined && { key: readable(key) }),
      },
    }),
    ...(user !== undefined && passwordFile !== undefined && { login: { user, passwordFile: readable(passwordFile) } }),
  }
}

function refuseUnreadable(path: string): string {
  try {
    readFileSync(path)
    return path
  } catch (cause) {
    throw new HaError('CONFIG_INVALID', `${path} cannot be read: ${describeError(cause)}`, { cause })
  }
}

function usageError(text: string): HaError {
  return new HaError('USAGE', `'${text}' does not name the endpoints of an etcd`, {
    hint: `Name each once, ${ETCD_ENDPOINTS_MAX} at most: --database etcd://HOST:${PORT},HOST:${PORT},HOST:${PORT}`,
  })
}
