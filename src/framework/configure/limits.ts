/** Physical hosts of a cluster: what has been measured; each stamps the same database. */
export const PHYSICAL_HOSTS_MAX = 64
/** Logical hosts of a cluster: what the benchmarks measure a takeover with. */
export const LOGICAL_HOSTS_MAX = 500
/** Registered data services of a cluster. */
export const DATA_SERVICES_MAX = 500
/** Disk groups of a cluster: two for each logical host. */
export const DISK_GROUPS_MAX = 1_000
/** Disk groups of one logical host, file systems of one disk group, addresses of one logical host: each is a step that has to fit into the timeout. */
export const PARTS_MAX = 64
/** Seconds of any timeout: a day. More is a mistyped number. */
export const TIMEOUT_S_MAX = 86_400
/** Characters of a path, a name on a network, a version or another free text. */
export const TEXT_LENGTH_MAX = 1_024
/** Timeouts at or below this many seconds are warned about (Sun Cluster 2.2 System Administration Guide 3.14.1). */
export const TIMEOUT_WARNING_S = 100
