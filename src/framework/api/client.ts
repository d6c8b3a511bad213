import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type Call, callSocket, followSocket } from './client/call-socket.ts'
import type * as wire from './wire.ts'
import { SOCKET_PATH_BELOW_ROOT } from './wire.ts'

/** How to reach clustd. */
export interface ClientOptions {
  /** The UNIX socket of clustd; `socketPathOf(root)`. */
  readonly socketPath: string
  /** Who asks, for causes and the journal; `operatorOf(environment)`. */
  readonly operator: string
}

/**
 * Speaks with the clustd of this host. Every call rejects with an `HaError`: what clustd answered; `CLUSTD_NOT_RUNNING` when nobody
 * listens; `WAIT_TIMED_OUT` when clustd says nothing for the call's time; `ABORTED` when clustd ended in the middle of an answer.
 */
export interface Client {
  identity(): Promise<wire.IdentityJson>
  /** `messages`: how many recent messages to add, at most 1,000; default 0. */
  status(options?: { readonly messages?: number }): Promise<wire.StatusJson>
  haget(query: wire.HagetQuery): Promise<wire.HagetJson>
  services(): Promise<wire.ServicesJson>
  /** Rejects with `NOT_FOUND`. */
  service(name: string): Promise<wire.ServiceJson>
  register(request: wire.RegisterRequest): Promise<wire.ConfiguredJson>
  unregister(name: string): Promise<wire.ConfiguredJson>
  /** Plans without doing anything. Rejects with what the planner refuses. */
  plan(request: wire.RequestJson): Promise<wire.PlanJson>
  /** Commits a plan shown earlier. Rejects with `PLAN_STALE`, `NOT_FOUND`. */
  applyPlan(id: string): Promise<wire.SubmittedJson>
  /** Plans and commits. Resolves when it is committed, not when it is done: follow it. */
  submit(request: wire.SubmitRequest): Promise<wire.SubmittedJson>
  /** Tells what a reconfiguration, and those that supersede it, do; the last event is `end`. Ending the loop early ends the request; `signal` ends it also between two events (`ABORTED`). */
  follow(reconfiguration: number, options?: { readonly signal?: AbortSignal }): AsyncIterable<wire.FollowEvent>
  /** The latest `last` reconfigurations (default 20, at most 1,000), oldest first. */
  history(options?: { readonly last?: number }): Promise<wire.HistoryJson>
  /** Of a number, or of the last one. Rejects with `NOT_FOUND` when there is none or it is no longer kept. */
  timeline(reconfiguration: number | 'last'): Promise<wire.TimelineJson>
  explain(logicalHost: string): Promise<wire.ExplainJson>
  /** The public adapters of a host, by default this one. Rejects with `NOT_FOUND`. */
  publicNetworks(options?: { readonly host?: string }): Promise<wire.PublicNetworksJson>
  /** Moves the addresses of a backup group of this host. Rejects with `NOT_FOUND`, `INTERFACE_FAILED`. */
  switchAdapter(request: wire.SwitchAdapterRequest): Promise<wire.PublicNetworksJson>
  configuration(): Promise<wire.ConfigurationJson>
  /** One form of `scconf`. */
  configure(request: wire.ConfigurationRequest): Promise<wire.ConfiguredJson>
  exportConfiguration(): Promise<wire.ClusterFileJson>
  diffConfiguration(request: wire.ClusterFileRequest): Promise<wire.ConfigurationDiffJson>
  applyConfiguration(request: wire.ClusterFileRequest): Promise<wire.ConfiguredJson>
  /** `scadmin stopnode`: resolves when this host has given everything up and left; clustd ends after it. `withinMs`: how long to wait, at least the step timeout of the cluster. `signal` ends the waiting (`ABORTED`), not the leave. */
  leave(options: { readonly withinMs: number; readonly signal?: AbortSignal }): Promise<wire.LeftJson>
  /** `scadmin token`. */
  makeToken(request: wire.TokenRequest): Promise<wire.TokenJson>
  /** `scadmin evict`. Rejects with `NOT_FOUND`, `IN_USE`, `VOTERS_UNSAFE`. */
  evict(request: wire.EvictRequest): Promise<wire.EvictedJson>
  /** `scadmin fence`: resolves when a device has confirmed that the host is off. */
  fence(request: wire.FenceRequest): Promise<wire.FencedJson>
  /** `scadmin confirm-down`. */
  confirmDown(request: wire.ConfirmDownRequest): Promise<wire.ConfirmedDownJson>
  checkDatabase(): Promise<wire.DatabaseCheckJson>
  backupDatabase(): Promise<wire.BackupFileJson>
  restoreDatabase(backup: wire.BackupFileJson): Promise<wire.RestoredJson>
}

/** Milliseconds without a byte from clustd after which a plain call is given up: clustd answers from memory, or after one commit. */
const SILENCE_MS = 15_000
/** Milliseconds that `submit` waits for a logical host in motion when the request does not say. */
const BUSY_WAIT_MS = 30_000
/** Room for a large cluster file, or a backup of the largest database. */
const LONG_SILENCE_MS = 120_000

/** Every level of a host may take as long as its slowest device. */
const FENCE_SILENCE_MS = 8 * 600_000

/** Names the socket of the clustd whose files are below `root` (`HAVEN_ROOT`, `/` by default). */
export function socketPathOf(root: string): string {
  return join(root, SOCKET_PATH_BELOW_ROOT)
}

/** Names who asks: the user behind sudo, else the user as the environment says, else the one that `readAccount` finds this process to run as. */
export function operatorOf(
  environment: Readonly<Record<string, string | undefined>>,
  readAccount: () => Account = userInfo,
): string {
  return environment['SUDO_USER'] || environment['USER'] || environment['LOGNAME'] || nameOfAccount(readAccount)
}

/** The part of `os.userInfo()` that names somebody. */
export interface Account {
  readonly username: string
}

function nameOfAccount(readAccount: () => Account): string {
  try {
    return readAccount().username
  } catch {
    // In containers a user often has a number only.
    return String(process.getuid?.() ?? 'unknown')
  }
}

/** Makes a client. Nothing is opened until a call is made; each call is one request, and there is nothing to close. */
export function createClient(options: ClientOptions): Client {
  const call = <Answer>(rest: CallWords): Promise<Answer> => callSocket(toCall(options, rest)) as Promise<Answer>
  const get = <Answer>(path: string): Promise<Answer> => call({ method: 'GET', path })
  const post = <Answer>(path: string, body: object): Promise<Answer> => call({ method: 'POST', path, body })
  return {
    identity: () => get('/v1/identity'),
    status: ({ messages = 0 } = {}) => get(`/v1/status?messages=${messages}`),
    haget: (query) => get(`/v1/haget?${new URLSearchParams({ ...query })}`),
    services: () => get('/v1/services'),
    service: (name) => get(`/v1/services/${segment(name)}`),
    register: (request) => post('/v1/services', request),
    unregister: (name) => call({ method: 'DELETE', path: `/v1/services/${segment(name)}` }),
    plan: (request) => post('/v1/plans', request),
    applyPlan: (id) => post(`/v1/plans/${segment(id)}/apply`, {}),
    submit: (body) => {
      const silenceMs = SILENCE_MS + (body.busyWaitMs ?? BUSY_WAIT_MS)
      return call({ method: 'POST', path: '/v1/reconfigurations', body, silenceMs })
    },
    follow: (n, { signal } = {}) =>
      followSocket(toCall(options, { method: 'GET', path: `/v1/reconfigurations/${n}/follow` }), signal),
    history: ({ last = 20 } = {}) => get(`/v1/reconfigurations?last=${last}`),
    timeline: (n) => get(`/v1/reconfigurations/${n}`),
    explain: (logicalHost) => get(`/v1/logical-hosts/${segment(logicalHost)}/explain`),
    publicNetworks: ({ host } = {}) =>
      get(`/v1/public-networks${host === undefined ? '' : `?${new URLSearchParams({ host })}`}`),
    switchAdapter: (request) => post('/v1/public-networks/switch', request),
    configuration: () => get('/v1/configuration'),
    configure: (request) => post('/v1/configuration/change', request),
    exportConfiguration: () => get('/v1/configuration/export'),
    diffConfiguration: (request) => post('/v1/configuration/diff', request),
    applyConfiguration: (body) =>
      call({ method: 'POST', path: '/v1/configuration/apply', body, silenceMs: LONG_SILENCE_MS }),
    leave: async ({ withinMs, signal }) => {
      const words = { method: 'POST', path: '/v1/leave', body: {}, silenceMs: withinMs } as const
      return (await callSocket(toCall(options, words), signal)) as wire.LeftJson
    },
    makeToken: (request) => post('/v1/tokens', request),
    evict: (body) => call({ method: 'POST', path: '/v1/evict', body, silenceMs: LONG_SILENCE_MS }),
    fence: (body) => call({ method: 'POST', path: '/v1/fences', body, silenceMs: FENCE_SILENCE_MS }),
    confirmDown: (request) => post('/v1/fences/confirmations', request),
    checkDatabase: () => call({ method: 'GET', path: '/v1/database/check', silenceMs: LONG_SILENCE_MS }),
    backupDatabase: () => call({ method: 'GET', path: '/v1/database/backup', silenceMs: LONG_SILENCE_MS }),
    restoreDatabase: (body) => call({ method: 'POST', path: '/v1/database/restore', body, silenceMs: LONG_SILENCE_MS }),
  }
}

interface CallWords {
  readonly method: Call['method']
  readonly path: string
  readonly body?: object
  readonly silenceMs?: number
}

function toCall(options: ClientOptions, words: CallWords): Call {
  return { ...options, body: undefined, silenceMs: SILENCE_MS, ...words }
}

// An empty name would ask for the list instead of the thing.
function segment(name: string): string {
  return name === '' ? '%20' : encodeURIComponent(name)
}
