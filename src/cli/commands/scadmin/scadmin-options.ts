import { formsOf, JSON_OPTION } from '../../command/define-command.ts'

/** The options of all forms of scadmin. */
export const scadminOptions = {
  cluster: { kind: 'text', long: 'cluster', value: 'CLUSTER', describe: 'the cluster that this host belongs to' },
  host: { kind: 'text', long: 'host', value: 'HOST', describe: 'the name of this host in the cluster' },
  database: {
    kind: 'text',
    long: 'database',
    value: 'PLACE',
    describe:
      'where the cluster database is: etcd (Haven runs one, on several machines), etcd://HOST:PORT,... (one of yours), or file:DIRECTORY (one machine; default: var/lib/haven/database below HAVEN_ROOT)',
  },
  databaseCa: {
    kind: 'text',
    long: 'database-ca',
    value: 'FILE',
    describe: 'for etcd://...: the authorities of its certificates, PEM; with it etcd is spoken to by TLS',
  },
  databaseCert: {
    kind: 'text',
    long: 'database-cert',
    value: 'FILE',
    describe: 'for etcd://...: the certificate that this host shows, PEM',
  },
  databaseKey: { kind: 'text', long: 'database-key', value: 'FILE', describe: 'the key of that certificate, PEM' },
  databaseUser: {
    kind: 'text',
    long: 'database-user',
    value: 'USER',
    describe: 'for etcd://...: the user, if etcd asks for one',
  },
  databasePasswordFile: {
    kind: 'text',
    long: 'database-password-file',
    value: 'FILE',
    describe: 'the file with the password of that user in its first line',
  },
  address: {
    kind: 'list',
    long: 'address',
    value: 'ADDRESS',
    describe:
      'the IP addresses of this machine at which the others reach it and its voter, best one in each private network; default: the only one it has',
  },
  port: {
    kind: 'count',
    long: 'port',
    value: 'PORT',
    describe: 'TCP port at which this host answers the others; default 7411',
  },
  token: {
    kind: 'text',
    long: 'token',
    value: 'TOKEN',
    describe: 'what `scadmin token` printed on a host of the cluster',
  },
  interface: {
    kind: 'texts',
    long: 'interface',
    value: 'NETWORK=ADAPTER=ADDRESS',
    describe: 'where this host is connected; once for each network',
  },
  for: {
    kind: 'text',
    long: 'for',
    value: 'ROLE',
    choices: ['host', 'witness'],
    describe: 'what may join with it; default host',
  },
  ttl: {
    kind: 'text',
    long: 'ttl',
    value: 'TIME',
    describe: 'how long it can be used, such as 15m (the default), 2h or 90s',
  },
  force: { kind: 'flag', long: 'force', describe: 'also while it is a member: its keys are in wrong hands' },
  lost: {
    kind: 'list',
    long: 'lost',
    value: 'VOTER',
    describe: 'all other voters: those that are off, and will never come back as they were',
  },
  join: {
    kind: 'text',
    long: 'join',
    value: 'ADDRESS[:PORT]',
    describe: 'a host of the cluster, as `scadmin token` printed it',
  },
  background: { kind: 'flag', letter: 'a', describe: 'do not wait until it is done' },
  maintenance: { kind: 'flag', letter: 'm', describe: 'put into maintenance' },
  reconfigure: { kind: 'flag', letter: 'r', describe: 'call the methods again' },
  last: { kind: 'count', long: 'last', value: 'NUMBER', describe: 'how many reconfigurations; default 20' },
  plan: { kind: 'flag', long: 'plan', describe: 'do nothing; show what would be done' },
  yes: { kind: 'flag', long: 'yes', describe: 'do not ask whether it is meant' },
  reason: { kind: 'text', long: 'reason', value: 'REASON', describe: 'why, for the record' },
  evenIfAlive: {
    kind: 'flag',
    long: 'even-if-alive',
    describe: 'also when the host gives signs of life, or is this one',
  },
  json: JSON_OPTION,
} as const

/** Defines a form of scadmin. */
export const scadminForm = formsOf(scadminOptions)
