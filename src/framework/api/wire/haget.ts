/** One field that `haget -f` knows. */
export interface HagetField {
  readonly name: string
  /** What the field is asked about: `-h LOGICALHOST`, `-h PHYSICALHOST`, `-s SERVICE`, `--network NETWORK`, or nothing. */
  readonly needs: 'nothing' | 'logical host' | 'physical host' | 'service' | 'network'
  /** What is printed, one phrase. */
  readonly meaning: string
}

/** The fields of `haget -f`, in the order in which they are listed. Source: haget(1M), Sun Cluster 2.2 API Developer's Guide. */
export const HAGET_FIELDS: readonly HagetField[] = [
  { name: 'syslog_facility', needs: 'nothing', meaning: 'the syslog facility that the cluster logs to' },
  { name: 'pathprefix', needs: 'logical host', meaning: 'where its administrative file system is mounted' },
  { name: 'master', needs: 'logical host', meaning: 'the physical host that masters it now; nothing if nobody does' },
  { name: 'mastered', needs: 'nothing', meaning: 'the logical hosts that this physical host masters' },
  { name: 'not_mastered', needs: 'nothing', meaning: 'the logical hosts that this physical host does not master' },
  { name: 'service_is_on', needs: 'service', meaning: '1 if the data service is on, 0 if it is off' },
  { name: 'all_logical_hosts', needs: 'nothing', meaning: 'the configured logical hosts' },
  { name: 'all_physical_hosts', needs: 'nothing', meaning: 'the configured physical hosts' },
  { name: 'physical_hosts', needs: 'logical host', meaning: 'its possible masters in order of preference' },
  { name: 'is_maint', needs: 'logical host', meaning: '1 if it is in maintenance, 0 if not' },
  { name: 'names_on_subnets', needs: 'physical host', meaning: 'its names on the public networks' },
  {
    name: 'private_links',
    needs: 'physical host',
    meaning: 'its names on the private networks, else its addresses there',
  },
  {
    name: 'vfstab_file',
    needs: 'logical host',
    meaning: 'its vfstab file: empty, the cluster database knows its file systems',
  },
  { name: 'cluster_name', needs: 'nothing', meaning: 'the name of the cluster' },
  { name: 'local_physical_host', needs: 'nothing', meaning: 'the name of this physical host' },
  { name: 'members', needs: 'nothing', meaning: 'the physical hosts that are members of the cluster now' },
  { name: 'all_services', needs: 'nothing', meaning: 'the registered data services' },
  { name: 'services', needs: 'logical host', meaning: 'the data services that are configured on it' },
  { name: 'logical_addresses', needs: 'logical host', meaning: 'its logical addresses' },
  { name: 'all_networks', needs: 'nothing', meaning: 'the configured networks' },
  {
    name: 'network_state',
    needs: 'network',
    meaning: 'up, unknown, unavailable, partitioned or down',
  },
  {
    name: 'interfaces',
    needs: 'physical host',
    meaning: 'its interfaces: network, adapter, address and state, divided by spaces',
  },
]

/** Query of `GET /v1/haget`. */
export interface HagetQuery {
  readonly field: string
  /** `-h`: a logical or a physical host, by what the field needs; physical: default this one. */
  readonly host?: string
  /** `-s`. */
  readonly service?: string
  /** `--network`. */
  readonly network?: string
}

/** Answer to `GET /v1/haget`: what to print, one value per line; empty = there is none. */
export interface HagetJson {
  readonly field: string
  readonly values: readonly string[]
}
