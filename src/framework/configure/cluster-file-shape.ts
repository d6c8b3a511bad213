import { z } from 'zod'
import { ADAPTER_TESTS_DEFAULT } from '../model/adapter-tests.ts'
import { METHOD_NAMES } from '../model/cluster-config.ts'

// The shape of a cluster file. What its values mean is checked together with the whole configuration, by `checkConfiguration`.

const word = z.string().max(1_024)
const words = z.array(word).max(1_000)

const cluster = z.strictObject({
  name: word,
  logicalHostTimeoutS: z.exactOptional(z.number()),
  stepTimeoutS: z.exactOptional(z.number()),
  syslogFacility: z.exactOptional(word),
  timings: z.exactOptional(
    z.strictObject({
      stampMs: z.exactOptional(z.number()),
      guardMs: z.exactOptional(z.number()),
      abortMs: z.exactOptional(z.number()),
      marginMs: z.exactOptional(z.number()),
    }),
  ),
  heartbeats: z.exactOptional(
    z.strictObject({ intervalMs: z.exactOptional(z.number()), suspectMs: z.exactOptional(z.number()) }),
  ),
  fencing: z.exactOptional(
    z.strictObject({
      shareMax: z.exactOptional(z.number()),
      windowMs: z.exactOptional(z.number()),
      delayMs: z.exactOptional(z.number()),
      statusEveryMs: z.exactOptional(z.number()),
    }),
  ),
  rejoins: z.exactOptional(
    z.strictObject({ rejoinsMax: z.exactOptional(z.number()), windowMs: z.exactOptional(z.number()) }),
  ),
  budgets: z.exactOptional(
    z.strictObject({
      takeoversMax: z.exactOptional(z.number()),
      takeoverWindowMs: z.exactOptional(z.number()),
      evictionsMax: z.exactOptional(z.number()),
      evictionWindowMs: z.exactOptional(z.number()),
      parallelMovesMax: z.exactOptional(z.number()),
    }),
  ),
})

const network = z.strictObject({
  role: z.enum(['internal', 'client', 'both', 'none']).default('internal'),
  probeTargets: words.default([]),
  /** What is left out has its default. */
  adapterTests: z.exactOptional(
    z.strictObject({
      inactiveMs: z.number().default(ADAPTER_TESTS_DEFAULT.inactiveMs),
      pingTimeoutMs: z.number().default(ADAPTER_TESTS_DEFAULT.pingTimeoutMs),
      repeatTests: z.number().default(ADAPTER_TESTS_DEFAULT.repeatTests),
      backMs: z.number().default(ADAPTER_TESTS_DEFAULT.backMs),
      compareMs: z.number().default(ADAPTER_TESTS_DEFAULT.compareMs),
    }),
  ),
})

const physicalHost = z.strictObject({
  publicNames: words.default([]),
  privateLinks: words.default([]),
  /** One for each level, tried in order: the names of its fence devices, as a list or joined by commas. */
  fenceLevels: z
    .array(z.union([word, words], 'Invalid input: expected fence devices, as a list or joined by commas'))
    .max(100)
    .default([]),
  /** By network. */
  interfaces: z.record(word, z.strictObject({ adapter: word, address: word })).default({}),
  /** By the name of the group; adapters in order of preference. */
  backupGroups: z.record(word, z.strictObject({ network: word, adapters: words })).default({}),
})

const fenceDevice = z.strictObject({
  agent: z.enum(['command', 'fence-agent']).default('command'),
  program: word,
  options: z.record(word, z.coerce.string().max(1_024)).default({}),
  hosts: words,
  plugs: z.record(word, z.coerce.string().max(1_024)).default({}),
  action: z.enum(['off', 'reboot']).default('off'),
  timeoutMs: z.exactOptional(z.number()),
})

const fileSystem = z.strictObject({
  device: word,
  type: z.enum(['ext4', 'xfs']),
  mountPoint: word.default(''),
  options: words.default([]),
})

const diskGroup = z.strictObject({
  directory: z.exactOptional(word),
  filesystems: z.exactOptional(z.array(fileSystem).max(1_000)),
  /** `scsi-3`, or the same by another program. */
  reservation: z.exactOptional(
    z.union(
      [z.literal('scsi-3'), z.strictObject({ program: word })],
      "Invalid input: expected scsi-3, or a map with 'program'",
    ),
  ),
})

const address = z.strictObject({
  address: word,
  /** One for all possible masters, or one for each. */
  adapters: z
    .union(
      [word, z.record(word, word)],
      'Invalid input: expected the name of an adapter, or one for each physical host',
    )
    .default({}),
})

const logicalHost = z.strictObject({
  physicalHosts: words,
  diskGroups: words,
  addresses: z.array(address).max(1_000).default([]),
  switchback: z.enum(['automatic', 'manual']).default('automatic'),
  onStuck: z.enum(['stay', 'abort']).default('stay'),
})

const method = z.strictObject({ program: word, timeoutS: z.number() })

const dataService = z.strictObject({
  state: z.exactOptional(z.enum(['on', 'off'])),
  logicalHosts: words,
  dependsOn: words.default([]),
  baseDirectory: word.default(''),
  methods: z.partialRecord(
    z.enum(METHOD_NAMES),
    z.union([word, method], 'Invalid input: expected a program, or program and timeoutS'),
  ),
  version: word.default(''),
  apiVersion: word.default(''),
  packages: words.default([]),
})

/** Makes a section: entries by name. A name without anything behind it (null) is an entry with nothing but defaults. */
const section = <Entry extends z.ZodType>(entry: Entry) =>
  z.exactOptional(
    z.record(
      word,
      z.preprocess((value) => value ?? {}, entry),
    ),
  )

/** What a cluster file may hold. */
export const clusterFileShape = z.strictObject({
  cluster,
  networks: section(network),
  fenceDevices: section(fenceDevice),
  physicalHosts: section(physicalHost),
  diskGroups: section(diskGroup),
  logicalHosts: section(logicalHost),
  dataServices: section(dataService),
})

/** A cluster file whose shape is right, with defaults filled in. A section that is absent leaves what it is about alone. */
export type ClusterFile = z.infer<typeof clusterFileShape>
