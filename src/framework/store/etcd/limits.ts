/** Milliseconds within which a call is answered or given up, unless the opener says otherwise: a fifth of the default guard. */
export const CALL_MS = 300
/**
 * How many times as long as a stamp a durable commit or a reading may take. No deadline of a guard rests on them, and an etcd without a leader is back in a second:
 * a switchover that is asked for in that second should wait rather than fail.
 */
export const PATIENCE = 4
/** Milliseconds that one endpoint is waited for before the next is asked beside it, at most: who has seconds need not lose one to each that is frozen. */
export const SHARE_MS_MAX = 250
/** Milliseconds between two rounds through all endpoints, none of which could be reached: they refuse at once, and a loop without a pause would burn the processor. */
export const ROUND_PAUSE_MS = 25
/** Milliseconds until an endpoint that failed is tried again beside the work, the first time and at most. */
export const REVIVE_MS = 100
export const REVIVE_MS_MAX = 2_000
/** Milliseconds that a channel waits between two attempts to connect, at first and at most; the default of the library goes up to two minutes. */
export const RECONNECT_MS = 20
export const RECONNECT_MS_MAX = 200
/** Ticks of a watch without a word until its endpoint counts as frozen. The first ask for a sign of life; more than one, so that a stall of this process is not taken for one of etcd. */
export const SILENT_TICKS_MAX = 3
/** Milliseconds between two attempts to begin a watch when nobody grants one. */
export const WATCH_RETRY_MS = 50
/** Commits of one client that are under way at the same time; more wait. One has a stamp, a plan and the ends of some halves. */
export const LANES_MAX = 32
/** Of them, those that only a volatile commit may take: a stamp, first of all. */
export const LANES_KEPT_FOR_STAMPS = 4
/** Records asked for in one answer: some hundred kilobytes as a rule. */
export const PAGE_RECORDS_MAX = 1_000
/** Readings begun anew because history was compacted in the middle of their pages. */
export const READ_TRIES_MAX = 3
/** Milliseconds between two compactions by one client; at least as much history is kept. Five minutes of three hosts are 2,300 commits. */
export const COMPACT_EVERY_MS = 300_000
/** Lanes of clients that are gone, removed in one commit; etcd takes 128 operations by default. */
export const LANES_REMOVED_MAX = 100
/** Operations that etcd takes in one transaction unless it is told otherwise (`--max-txn-ops`). */
export const TRANSACTION_OPERATIONS_DEFAULT = 128
/** Operations that a commit of Haven may need: the loss of a host with hundreds of logical hosts, or a restore. What etcd is asked for. */
export const OPERATIONS_WANTED = 4096
/** The layout of the keys below the prefix that this version reads and writes. */
export const LAYOUT_SCHEMA = 1
