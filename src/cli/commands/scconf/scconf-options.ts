import { formsOf, JSON_OPTION } from '../../command/define-command.ts'

/** The options of all forms of scconf. */
export const scconfOptions = {
  logicalHost: {
    kind: 'text',
    letter: 'L',
    value: 'LOGICALHOST',
    completes: 'logical-host',
    describe: 'the logical host',
  },
  physicalHosts: {
    kind: 'list',
    letter: 'n',
    value: 'HOST',
    completes: 'physical-host',
    describe: 'its possible masters in order of preference; the first is the default master',
  },
  diskGroups: {
    kind: 'list',
    letter: 'g',
    value: 'DISKGROUP',
    describe: 'its disk groups; the first carries its administrative file system',
  },
  interfaces: {
    kind: 'lists',
    letter: 'i',
    value: 'ADAPTER,...,ADDRESS',
    describe:
      'an adapter on each of its possible masters, in their order, and the logical address; once for each address',
  },
  manual: { kind: 'flag', letter: 'm', describe: 'no automatic switchback to a more preferred host that joins' },
  onStuck: {
    kind: 'text',
    long: 'on-stuck',
    value: 'ACTION',
    choices: ['stay', 'abort'],
    describe: 'when it cannot be released provably: stay as it is (default), or abort the host',
  },
  change: { kind: 'flag', long: 'change', describe: 'change a logical host that there is; what is not named stays' },
  switchback: {
    kind: 'text',
    long: 'switchback',
    value: 'HOW',
    choices: ['automatic', 'manual'],
    describe: 'whether it moves back by itself when a more preferred host joins',
  },
  remove: { kind: 'flag', letter: 'r', describe: 'remove' },
  logicalHostTimeout: {
    kind: 'count',
    letter: 'l',
    value: 'SECONDS',
    describe: 'logical host timeout: each half of a move may take half of it (default 180)',
  },
  stepTimeout: {
    kind: 'count',
    letter: 'T',
    value: 'SECONDS',
    describe: 'timeout of a whole reconfiguration (default 720)',
  },
  print: { kind: 'flag', letter: 'p', describe: 'print the configuration' },
  service: {
    kind: 'flag',
    letter: 's',
    describe: 'configure a data service on further logical hosts; with -r: no longer on them',
  },
  physicalHost: {
    kind: 'text',
    long: 'physical-host',
    value: 'HOST',
    completes: 'physical-host',
    describe: 'a physical host to add, change or remove',
  },
  publicNames: { kind: 'list', long: 'public-names', value: 'NAME', describe: 'its names on the public networks' },
  privateLinks: { kind: 'list', long: 'private-links', value: 'NAME', describe: 'its names on the private networks' },
  diskGroup: { kind: 'text', long: 'disk-group', value: 'DISKGROUP', describe: 'a disk group to define or remove' },
  define: {
    kind: 'texts',
    long: 'define',
    value: 'DEFINITION',
    describe: 'directory:/PATH, or filesystem:DEVICE:ext4|xfs[:MOUNTPOINT[:OPTION+OPTION]] once for each file system',
  },
  timings: {
    kind: 'text',
    long: 'timings',
    value: 'PROFILE',
    choices: ['default', 'fast', 'relaxed'],
    describe: 'how fast a lost host is found out',
  },
  stampMs: { kind: 'count', long: 'stamp-ms', value: 'MS', describe: 'how often a member stamps' },
  guardMs: { kind: 'count', long: 'guard-ms', value: 'MS', describe: 'how long a host may act after a stamp' },
  abortMs: {
    kind: 'count',
    long: 'abort-ms',
    value: 'MS',
    describe: 'how long ABORT methods have when the guard fires',
  },
  marginMs: { kind: 'count', long: 'margin-ms', value: 'MS', describe: 'what observers wait on top' },
  takeoversMax: {
    kind: 'count',
    long: 'takeovers-max',
    value: 'NUMBER',
    describe: 'takeovers of one logical host within the window',
  },
  takeoverWindowMs: { kind: 'count', long: 'takeover-window-ms', value: 'MS', describe: 'that window' },
  evictionsMax: {
    kind: 'count',
    long: 'evictions-max',
    value: 'NUMBER',
    describe: 'hosts given up as lost within the window',
  },
  evictionWindowMs: { kind: 'count', long: 'eviction-window-ms', value: 'MS', describe: 'that window' },
  parallelMovesMax: {
    kind: 'count',
    long: 'parallel-moves-max',
    value: 'NUMBER',
    describe: 'logical hosts that one host moves at a time',
  },
  syslogFacility: { kind: 'text', long: 'syslog-facility', value: 'NAME', describe: 'facility that methods log to' },
  file: {
    kind: 'text',
    letter: 'f',
    value: 'FILE',
    completes: 'file',
    describe: 'a whole cluster as YAML; - is stdin',
  },
  prune: { kind: 'flag', long: 'prune', describe: 'also remove what the file does not name' },
  plan: { kind: 'flag', long: 'plan', describe: 'do nothing; show what would be done' },
  json: JSON_OPTION,
} as const

/** Defines a form of scconf. */
export const scconfForm = formsOf(scconfOptions)
