/** What is fixed about an error code. */
export interface ErrorCodeFacts {
  /** Exit code of a command that ends with this error (0 is success, 2 is wrong usage, see `docs/errors.md`). */
  readonly exitCode: number
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean
  /** What the code means, one sentence, for the documentation. */
  readonly meaning: string
}

/**
 * Every expected failure of Haven. Codes are stable and never reused; a retired one stays, with a sentence that says so.
 *
 * Exit codes: 1 failed, 2 usage or bad input, 3 no clustd here, 4 busy or lost a race (try again), 5 a method or step failed,
 * 6 refused by a rule that protects data or services, 7 not found, 8 the cluster database cannot be used, 9 timed out.
 */
export const ERROR_CODES = {
  USAGE: { exitCode: 2, retryable: false, meaning: 'The words of a command do not fit its definition.' },
  NAME_INVALID: {
    exitCode: 2,
    retryable: false,
    meaning: 'A name holds characters that names may not hold, or is too long.',
  },
  CONFIG_INVALID: {
    exitCode: 2,
    retryable: false,
    meaning: 'A configuration was refused; every problem is listed and nothing was changed.',
  },
  RECORD_INVALID: {
    exitCode: 8,
    retryable: false,
    meaning: 'A record of the cluster database does not have the shape this version understands.',
  },
  NOT_SET_UP: { exitCode: 3, retryable: false, meaning: 'This host has no Haven configuration yet.' },
  CLUSTD_NOT_RUNNING: { exitCode: 3, retryable: true, meaning: 'No clustd answers on this host.' },
  CLUSTD_RUNNING: {
    exitCode: 6,
    retryable: false,
    meaning: 'The command needs clustd to be down on this host, and it is up.',
  },
  NOT_A_MEMBER: {
    exitCode: 6,
    retryable: true,
    meaning: 'The named physical host is not a member of the cluster now.',
  },
  CLUSTER_ALIVE: {
    exitCode: 6,
    retryable: false,
    meaning: 'A new cluster was to be started while members of it are alive.',
  },
  CLUSTER_NOT_STARTED: {
    exitCode: 6,
    retryable: false,
    meaning: 'A host was to join a cluster that has no living member.',
  },
  INTERFACE_FAILED: {
    exitCode: 6,
    retryable: true,
    meaning: 'A public adapter, or the whole backup group of it, is faulty on the named host.',
  },
  NOT_FOUND: { exitCode: 7, retryable: false, meaning: 'Nothing of that name is configured.' },
  ALREADY_EXISTS: { exitCode: 6, retryable: false, meaning: 'Something of that name is configured already.' },
  NOT_A_POSSIBLE_MASTER: {
    exitCode: 6,
    retryable: false,
    meaning: 'The physical host is not in the list of possible masters of the logical host.',
  },
  LOGICAL_HOST_BUSY: {
    exitCode: 4,
    retryable: true,
    meaning: 'The logical host is in the middle of another reconfiguration.',
  },
  LOGICAL_HOST_STUCK: {
    exitCode: 6,
    retryable: false,
    meaning: 'The logical host could not be released provably; leftovers have to be cleared first.',
  },
  IN_USE: { exitCode: 6, retryable: false, meaning: 'What was to be removed or changed is used by something else.' },
  SERVICE_ON: { exitCode: 6, retryable: false, meaning: 'The data service is on, and the change needs it to be off.' },
  DEPENDENCY_UNMET: {
    exitCode: 6,
    retryable: false,
    meaning: 'A dependency between data services forbids the change.',
  },
  DEPENDENCY_CYCLE: { exitCode: 2, retryable: false, meaning: 'Data services would depend on each other in a circle.' },
  PLAN_UNSAFE: {
    exitCode: 1,
    retryable: false,
    meaning: 'The independent checker refused a plan; nothing was done. This is a bug in Haven.',
  },
  PLAN_STALE: {
    exitCode: 4,
    retryable: false,
    meaning: 'The state has moved since the plan was shown; look at a new one.',
  },
  LOST_RACE: {
    exitCode: 4,
    retryable: true,
    meaning: 'Somebody else changed the same records at the same time, again and again.',
  },
  EVICTED: {
    exitCode: 6,
    retryable: false,
    meaning: 'This host is no longer a member: the others went on without it.',
  },
  DEADLINE_PASSED: {
    exitCode: 6,
    retryable: false,
    meaning: 'The host may no longer act, because its stamp could not be renewed in time.',
  },
  GENERATION_STALE: {
    exitCode: 6,
    retryable: false,
    meaning: 'The actor works on an older generation of a record than the present one.',
  },
  DISK_GROUP_HELD: { exitCode: 6, retryable: true, meaning: 'The disk group is owned by another physical host.' },
  DISK_GROUP_UNUSABLE: {
    exitCode: 5,
    retryable: false,
    meaning: 'The disk group cannot be imported: missing, damaged or not what was configured.',
  },
  DISK_GROUP_BUSY: {
    exitCode: 5,
    retryable: true,
    meaning: 'The disk group could not be exported because something still holds it.',
  },
  ADDRESS_IN_USE: {
    exitCode: 5,
    retryable: true,
    meaning: 'Somebody else on the network answers for the logical address.',
  },
  ADDRESS_UNUSABLE: {
    exitCode: 5,
    retryable: false,
    meaning: 'The logical address cannot be brought up on the configured adapter.',
  },
  METHOD_FAILED: {
    exitCode: 5,
    retryable: false,
    meaning: 'A method ended with a non-zero exit code, was killed or could not be started.',
  },
  METHOD_TIMED_OUT: { exitCode: 9, retryable: false, meaning: 'A method did not end within its timeout.' },
  STEP_TIMED_OUT: {
    exitCode: 9,
    retryable: false,
    meaning: 'A step of a reconfiguration did not end within its timeout.',
  },
  WAIT_TIMED_OUT: {
    exitCode: 9,
    retryable: true,
    meaning: 'What was waited for did not happen in time; it may still go on.',
  },
  GOAL_NOT_REACHED: {
    exitCode: 5,
    retryable: false,
    meaning: 'The reconfiguration ended, but not with what was asked for.',
  },
  FENCE_FAILED: { exitCode: 9, retryable: true, meaning: 'No fence device confirmed that the host is off.' },
  HOST_ALIVE: {
    exitCode: 6,
    retryable: false,
    meaning: 'The host gives signs of life, or is this one, and so is not fenced or taken for dead.',
  },
  REJOIN_REFUSED: {
    exitCode: 3,
    retryable: false,
    meaning: 'This host was fenced or lost, and has to be started by hand.',
  },
  GUARD_LOST: { exitCode: 1, retryable: false, meaning: 'failfastd cannot be started or does not answer.' },
  DATABASE_BUSY: {
    exitCode: 8,
    retryable: true,
    meaning: 'The cluster database stayed locked by another writer for too long.',
  },
  DATABASE_CORRUPT: {
    exitCode: 8,
    retryable: false,
    meaning: 'The cluster database is damaged in a way that is not a cut-off tail.',
  },
  DATABASE_FULL: {
    exitCode: 8,
    retryable: true,
    meaning: 'The disk of the cluster database is full, or a record or the database is larger than its limit.',
  },
  DATABASE_READ_ONLY: {
    exitCode: 8,
    retryable: false,
    meaning: 'The directory of the cluster database cannot be written.',
  },
  DATABASE_NEWER: {
    exitCode: 8,
    retryable: false,
    meaning: 'The cluster database was written by a newer version of Haven.',
  },
  DATABASE_ABSENT: { exitCode: 8, retryable: false, meaning: 'There is no cluster database at the configured place.' },
  DATABASE_UNAVAILABLE: {
    exitCode: 8,
    retryable: true,
    meaning: 'The cluster database cannot be reached or did not answer.',
  },
  DATABASE_MOVED: {
    exitCode: 8,
    retryable: true,
    meaning: 'The cluster database has moved to another place; nothing was changed at the old one.',
  },
  ETCD_UNUSABLE: {
    exitCode: 8,
    retryable: false,
    meaning: 'The etcd that Haven runs is missing, too old, or does not start; the message says why.',
  },
  VOTERS_UNSAFE: {
    exitCode: 6,
    retryable: true,
    meaning: 'Adding or removing this voter now would put the majority of the voters at risk.',
  },
  DATABASE_TOO_OLD: {
    exitCode: 8,
    retryable: false,
    meaning: 'The etcd of the cluster database is older than what Haven needs.',
  },
  DATABASE_DENIED: {
    exitCode: 8,
    retryable: false,
    meaning: 'The cluster database does not let this host in: its user, password or rights.',
  },
  BACKUP_INVALID: {
    exitCode: 2,
    retryable: false,
    meaning: 'A backup file is damaged or is not a backup of a cluster database.',
  },
  TOKEN_REFUSED: {
    exitCode: 6,
    retryable: false,
    meaning: 'A token for joining is wrong, used, expired or made for something else.',
  },
  JOIN_REFUSED: {
    exitCode: 6,
    retryable: false,
    meaning: 'A machine cannot be let into the cluster as it is: its clock, its version or its name.',
  },
  CERTIFICATE_REFUSED: {
    exitCode: 6,
    retryable: false,
    meaning: 'A machine could not prove that it belongs to the cluster, or does not belong to it any more.',
  },
  HOST_UNREACHABLE: {
    exitCode: 9,
    retryable: true,
    meaning: 'No clustd of the named host could be reached over the network.',
  },
  LIMIT_REACHED: { exitCode: 6, retryable: false, meaning: 'A limit of Haven is reached; the message names it.' },
  ABORTED: {
    exitCode: 1,
    retryable: true,
    meaning: 'The work was cut off because its caller went away or the daemon is stopping.',
  },
  INTERNAL: { exitCode: 1, retryable: false, meaning: 'A bug in Haven.' },
} as const satisfies Record<string, ErrorCodeFacts>

/** One of the codes of the table. */
export type ErrorCode = keyof typeof ERROR_CODES
