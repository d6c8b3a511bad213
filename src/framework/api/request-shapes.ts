import { z } from 'zod'
import type {
  BackupFileJson,
  ClusterFileRequest,
  ConfigurationRequest,
  ConfirmDownRequest,
  FenceRequest,
  HagetQuery,
  RegisterRequest,
  RequestJson,
  SubmitRequest,
  SwitchAdapterRequest,
} from './wire.ts'

// Every shape is checked against the type of the wire that it parses: the two cannot drift apart.

/** Characters of a name, a path or another word. What it may hold is checked where its meaning is. */
const word = z.string().max(1_024)
/** Words in one list: the largest limit of a cluster. */
const words = z.array(word).max(1_000)
const whole = z.int().min(0)
const optional = z.exactOptional

/** Milliseconds that a request may wait for a logical host in motion. */
const BUSY_WAIT_MS_MAX = 600_000
/** Characters of a cluster file: the largest cluster has about a million. */
const CLUSTER_FILE_CHARS_MAX = 4 * 1024 * 1024

/** What a plan can be made of. */
export const requestShape: z.ZodType<RequestJson> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('switchover'), logicalHosts: words.min(1), to: word }),
  z.strictObject({ kind: z.literal('maintenance'), logicalHosts: words.min(1) }),
  z.strictObject({ kind: z.literal('reconfigure') }),
  z.strictObject({ kind: z.literal('services-on'), services: words }),
  z.strictObject({ kind: z.literal('services-off'), services: words }),
  z.strictObject({ kind: z.literal('service-hosts'), service: word, add: words, remove: words }),
  z.strictObject({ kind: z.literal('clear'), logicalHost: word }),
])

/** Body of `POST /v1/reconfigurations`. */
export const submitShape: z.ZodType<SubmitRequest> = z.strictObject({
  request: requestShape,
  busyWaitMs: optional(whole.max(BUSY_WAIT_MS_MAX)),
})

/** Body of `POST /v1/services`. */
export const registerShape: z.ZodType<RegisterRequest> = z.strictObject({
  name: word,
  methods: z.record(word, word),
  timeoutsS: optional(z.record(word, z.number())),
  baseDirectory: optional(word),
  dependsOn: optional(words),
  logicalHosts: optional(words),
  version: optional(word),
  apiVersion: optional(word),
  packages: optional(words),
})

/** Query of `GET /v1/haget`. */
export const hagetShape: z.ZodType<HagetQuery> = z.strictObject({
  field: word,
  host: optional(word),
  service: optional(word),
  network: optional(word),
})

const onStuck = optional(z.enum(['stay', 'abort']))
const interfaces = z.array(words).max(1_000)

const fencingConfigurationShapes = [
  z.strictObject({
    kind: z.literal('fence-device'),
    name: word,
    agent: optional(z.enum(['command', 'fence-agent'])),
    program: optional(word),
    options: optional(z.array(z.string()).max(1_000)),
    hosts: optional(words),
    plugs: optional(z.record(word, word)),
    action: optional(z.enum(['off', 'reboot'])),
    timeoutMs: optional(z.number()),
  }),
  z.strictObject({ kind: z.literal('remove-fence-device'), name: word }),
  z.strictObject({ kind: z.literal('fence-levels'), text: z.string().max(10_000) }),
  z.strictObject({
    kind: z.literal('fencing-limits'),
    shareMax: optional(z.number()),
    windowMs: optional(z.number()),
    delayMs: optional(z.number()),
    statusEveryMs: optional(z.number()),
  }),
  z.strictObject({ kind: z.literal('rejoins'), rejoinsMax: optional(z.number()), windowMs: optional(z.number()) }),
] as const

/** Body of `POST /v1/fences`. */
export const fenceShape: z.ZodType<FenceRequest> = z.strictObject({
  host: word,
  reason: optional(z.string().max(1_024)),
  evenIfAlive: optional(z.boolean()),
})
/** Body of `POST /v1/fences/confirmations`. */
export const confirmDownShape: z.ZodType<ConfirmDownRequest> = z.strictObject({
  host: word,
  reason: z.string().trim().min(1).max(1_024),
})

/** Body of `POST /v1/configuration/change`. */
export const configurationShape: z.ZodType<ConfigurationRequest> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('timeouts'),
    logicalHostTimeoutS: optional(z.number()),
    stepTimeoutS: optional(z.number()),
  }),
  z.strictObject({
    kind: z.literal('timings'),
    profile: optional(z.enum(['default', 'fast', 'relaxed'])),
    stampMs: optional(z.number()),
    guardMs: optional(z.number()),
    abortMs: optional(z.number()),
    marginMs: optional(z.number()),
  }),
  z.strictObject({
    kind: z.literal('heartbeats'),
    intervalMs: optional(z.number()),
    suspectMs: optional(z.number()),
  }),
  z.strictObject({
    kind: z.literal('budgets'),
    takeoversMax: optional(z.number()),
    takeoverWindowMs: optional(z.number()),
    evictionsMax: optional(z.number()),
    evictionWindowMs: optional(z.number()),
    parallelMovesMax: optional(z.number()),
  }),
  z.strictObject({ kind: z.literal('syslog-facility'), facility: word }),
  ...fencingConfigurationShapes,
  z.strictObject({
    kind: z.literal('physical-host'),
    name: word,
    publicNames: optional(words),
    privateLinks: optional(words),
    interfacesOn: optional(words),
    withoutInterfaces: optional(words),
  }),
  z.strictObject({
    kind: z.literal('network'),
    name: word,
    role: optional(z.enum(['internal', 'client', 'both', 'none'])),
    probeTargets: optional(words),
  }),
  z.strictObject({ kind: z.literal('remove-network'), name: word }),
  z.strictObject({
    kind: z.literal('backup-group'),
    host: word,
    name: word,
    network: optional(word),
    adapters: words,
  }),
  z.strictObject({ kind: z.literal('remove-backup-group'), host: word, name: word }),
  z.strictObject({ kind: z.literal('remove-physical-host'), name: word }),
  z.strictObject({ kind: z.literal('disk-group'), name: word, definitions: words }),
  z.strictObject({ kind: z.literal('remove-disk-group'), name: word }),
  z.strictObject({
    kind: z.literal('add-logical-host'),
    name: word,
    physicalHosts: words,
    diskGroups: words,
    interfaces,
    manual: optional(z.boolean()),
    onStuck,
  }),
  z.strictObject({
    kind: z.literal('change-logical-host'),
    name: word,
    physicalHosts: optional(words),
    diskGroups: optional(words),
    interfaces: optional(interfaces),
    switchback: optional(z.enum(['automatic', 'manual'])),
    onStuck,
  }),
  z.strictObject({ kind: z.literal('remove-logical-host'), name: word }),
])

/** Body of `POST /v1/configuration/diff` and `/apply`. */
export const clusterFileShape: z.ZodType<ClusterFileRequest> = z.strictObject({
  text: z.string().max(CLUSTER_FILE_CHARS_MAX),
  fileName: word,
  prune: optional(z.boolean()),
})

/** Body of `POST /v1/database/restore`. */
export const backupShape: z.ZodType<BackupFileJson> = z.strictObject({ text: z.string() })

/** Body of a request that says nothing more than its path. */
export const emptyShape: z.ZodType<object> = z.strictObject({})

const count = (max: number, otherwise: number) => z.coerce.number().pipe(whole.max(max)).default(otherwise)

/** Query of `GET /v1/public-networks`. */
export const publicNetworksShape = z.strictObject({ host: optional(word) })

/** Body of `POST /v1/public-networks/switch`. */
export const switchAdapterShape: z.ZodType<SwitchAdapterRequest> = z.strictObject({ group: word, adapter: word })

/** Query of `GET /v1/status`. */
export const statusShape = z.strictObject({ messages: count(1_000, 0) })
/** Query of `GET /v1/reconfigurations`. */
export const historyShape = z.strictObject({ last: count(1_000, 20) })
/** Number of a reconfiguration in a path. */
export const numberShape = z.strictObject({ number: z.coerce.number().pipe(z.int().min(1)) })
/** Number of a reconfiguration in a path, or `last`, as text. */
export const lastShape = z.strictObject({ number: word })
/** Name or id in a path. */
export const nameShape = z.strictObject({ name: word })
