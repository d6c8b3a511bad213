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
      'where the cluster database is: etcd (Haven runs one, on several machines), or file:DIRECTORY (one machine; default: var/lib/haven/database below HAVEN_ROOT)',
  },
  address: {
    kind: 'text',
    long: 'address',
    value: 'ADDRESS',
    describe: 'the IP address of this machine at which the others reach it; default: the only one it has',
  },
  background: { kind: 'flag', letter: 'a', describe: 'do not wait until it is done' },
  maintenance: { kind: 'flag', letter: 'm', describe: 'put into maintenance' },
  reconfigure: { kind: 'flag', letter: 'r', describe: 'call the methods again' },
  last: { kind: 'count', long: 'last', value: 'NUMBER', describe: 'how many reconfigurations; default 20' },
  plan: { kind: 'flag', long: 'plan', describe: 'do nothing; show what would be done' },
  json: JSON_OPTION,
} as const

/** Defines a form of scadmin. */
export const scadminForm = formsOf(scadminOptions)
