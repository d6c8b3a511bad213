/** Bytes of a record's key, at most (as the port promises). */
export const KEY_SIZE_BYTES_MAX = 255
/** Commits whose changes are kept in memory for watches that begin in the past: more than a member falls behind between two readings. */
export const COMMITS_KEPT_MAX = 256
/** Bytes of JSON in one commit, at most: a restore writes the whole database and deletes what was there in one commit. */
export const COMMIT_SIZE_BYTES_MAX = 128 * 1024 * 1024
/** Bytes of a log after which it is replaced by a checkpoint and a new log: some 30,000 stamps, read in 60 ms when a process starts. */
export const LOG_SIZE_BYTES_MAX = 4 * 1024 * 1024
/** Bytes of JSON in one frame of a checkpoint, about: so that writing a big one gives way to other work in between. */
export const CHECKPOINT_FRAME_BYTES = 256 * 1024
/** Milliseconds that a commit waits for the lock, at most: living holders need microseconds, dead ones none, so this means a stopped one. */
export const LOCK_WAIT_MS_MAX = 2000
/** Attempts to take the lock before the first sleep: about as long as a holder needs for one commit. */
export const LOCK_SPINS_MAX = 50
/** Milliseconds between two later attempts, at most; the least is a random part of it, so that waiting writers do not keep step. */
export const LOCK_BACKOFF_MS_MAX = 3
/** Commits done under one taking of the lock: bounds how long the other processes wait for it. */
export const COMMITS_PER_LOCK_MAX = 64
/** Milliseconds between two looks at the log without a hint: for a machine without inotify, or out of watches. */
export const POLL_MS = 250
/** Attempts to read a checkpoint together with its log while other processes replace them. */
export const LOAD_ATTEMPTS_MAX = 20
