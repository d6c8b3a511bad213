import { CommandError, type RunCommand } from '../run-command.ts'
import { writeKey } from './reservation-key.ts'

/** Who is registered with a disk, and who has it reserved. It takes two questions, between which that may change. */
export interface ReservationTable {
  /** One per session that is registered; several sessions may have the same key. */
  readonly keys: readonly bigint[]
  /** The key of the session that holds the reservation; undefined = nobody does. */
  readonly holder: bigint | undefined
}

/** How a command of the disk ended that another host may have made impossible. */
export type ReservationOutcome = 'done' | 'conflict'

/** What the disk offers. */
export interface ReservationCapabilities {
  /** Whether registrations can outlive a loss of the disk's own power (APTPL). */
  readonly persistsThroughPowerLoss: boolean
  /** Whether it has the type of reservation that is used; undefined = it does not say. */
  readonly hasType: boolean | undefined
}

/** One SCSI disk. Everything concerns the session (I_T nexus) of this host with it. All reject with `CommandError`, or the signal's reason. */
export interface ReservableDisk {
  readonly device: string
  capabilities(): Promise<ReservationCapabilities>
  read(): Promise<ReservationTable>
  /**
   * Changes the key of this session from one to another; 0 = not registered. `conflict`: it is not registered by `from`.
   * When the session holds the reservation, that goes on with the new key. `persist`: see `persistsThroughPowerLoss`.
   */
  register(change: {
    readonly from: bigint
    readonly to: bigint
    readonly persist: boolean
  }): Promise<ReservationOutcome>
  /** Registers this session by a key, whatever key it had; 0 = ends its registration, and the reservation if it holds that. */
  registerAnyhow(change: { readonly to: bigint; readonly persist: boolean }): Promise<void>
  /** Reserves: from then on only registered sessions can write. `conflict`: another session has it, or this one is not registered by the key. */
  reserve(key: bigint): Promise<ReservationOutcome>
  /**
   * Ends every registration by the key `other`; if that holds the reservation, this session does from then on. `abort`: also what those sessions have under
   * way, on disks that can. `conflict`: there is no such registration, or this session is not registered by `key`.
   */
  preempt(change: {
    readonly key: bigint
    readonly other: bigint
    readonly abort: boolean
  }): Promise<ReservationOutcome>
}

/**
 * Write Exclusive, Registrants Only: everybody may read, as every host looks for the ownership mark, and all paths of a host, each registered, may write.
 * Type 1 knows one path only; 3 and 6 would make disk scanners of all other hosts fail; 7 lets whoever remains of the registered ones hold it.
 */
const TYPE = '5'
const TYPE_NAME = 'Write Exclusive, registrants only'

/** Exit codes of sg3-utils. */
const ILLEGAL_REQUEST = 5
const UNIT_ATTENTION = 6
const INVALID_COMMAND = 9
const RESERVATION_CONFLICT = 24

/** From 50 on it is an error number of the system: EINVAL, ENOTTY and EOPNOTSUPP say that the kernel does not know the device as SCSI. */
const NOT_SCSI = [50 + 22, 50 + 25, 50 + 95]

/** A disk that has something to report (a reset, a key that was preempted) does so once for each thing, instead of doing what it was told. */
const ATTENTIONS_MAX = 4
/** A disk answers within milliseconds; the kernel tries for 30 s and more. */
const TIMEOUT_MS = 5_000

/** Makes what speaks to a disk through `sg_persist` or a program with the same options. */
export function reservableDisk(
  device: string,
  made: { readonly program: string; readonly run: RunCommand; readonly signal: AbortSignal },
): ReservableDisk {
  const call = async (words: readonly string[], accept: readonly number[] = [0]): Promise<Answer> => {
    for (let attentions = 0; ; attentions += 1) {
      const options = { signal: made.signal, timeoutMs: TIMEOUT_MS, accept: [...accept, UNIT_ATTENTION] }
      const answer = await made.run([made.program, ...words, device], options)
      if (answer.exitCode !== UNIT_ATTENTION) return answer
      if (attentions < ATTENTIONS_MAX) continue
      const facts = { exitCode: UNIT_ATTENTION, isMissing: false, stderr: answer.stderr }
      throw new CommandError([made.program, ...words, device], 'the disk reports again and again', facts)
    }
  }
  const change = async (words: readonly string[]): Promise<ReservationOutcome> => {
    const { exitCode } = await call(['--out', ...words], [0, RESERVATION_CONFLICT])
    return exitCode === 0 ? 'done' : 'conflict'
  }
  const preempt = (how: string, { key, other }: { key: bigint; other: bigint }): Promise<ReservationOutcome> =>
    change([how, ...keyWords({ rk: key, sark: other }), `--prout-type=${TYPE}`])
  return {
    device,
    capabilities: async () => parseCapabilities((await call(['--in', '--report-capabilities'])).stdout),
    read: async () => {
      const [keys, reservation] = await bothEnded(call(['--in', '--read-keys']), call(['--in', '--read-reservation']))
      return { keys: parseKeys(keys.stdout), holder: parseHolder(reservation.stdout) }
    },
    register: ({ from, to, persist }) =>
      change(['--register', ...keyWords({ rk: from, sark: to }), ...persistWords(persist)]),
    registerAnyhow: async ({ to, persist }) => {
      await call(['--out', '--register-ignore', ...keyWords({ rk: 0n, sark: to }), ...persistWords(persist)])
    },
    reserve: (key) => change(['--reserve', ...keyWords({ rk: key, sark: 0n }), `--prout-type=${TYPE}`]),
    preempt: async ({ abort, ...keys }) => {
      if (!abort) return await preempt('--preempt', keys)
      try {
        return await preempt('--preempt-abort', keys)
      } catch (error) {
        const exitCode = error instanceof CommandError ? error.facts.exitCode : null
        if (exitCode !== ILLEGAL_REQUEST && exitCode !== INVALID_COMMAND) throw error
        // A disk that cannot abort ends at least every command that comes later.
        return await preempt('--preempt', keys)
      }
    },
  }
}

/** Resolves with what two commands returned, or rejects when one did, but not before both have ended: none is left under way. */
export async function bothEnded<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<readonly [One, Other]> {
  await Promise.allSettled([one, other])
  return await Promise.all([one, other])
}

/** Tells whether a failure means that nothing can ever have been reserved this way: no program, no SCSI device, or one without persistent reservations. */
export function isWithoutReservations(error: unknown): error is CommandError {
  if (!(error instanceof CommandError)) return false
  const { exitCode, isMissing } = error.facts
  return isMissing || [ILLEGAL_REQUEST, INVALID_COMMAND, ...NOT_SCSI].includes(exitCode ?? 0)
}

interface Answer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

function keyWords({ rk, sark }: { readonly rk: bigint; readonly sark: bigint }): readonly string[] {
  return [`--param-rk=${writeKey(rk)}`, `--param-sark=${writeKey(sark)}`]
}

function persistWords(persist: boolean): readonly string[] {
  return persist ? ['--param-aptpl'] : []
}

/** Reads what `--read-keys` prints. Throws a plain error when it is not that: not to see a key would be dangerous. */
export function parseKeys(text: string): readonly bigint[] {
  if (/there are NO registered reservation keys/.test(text)) return []
  const count = Number(/\b(\d+) registered reservation keys? follows?:/.exec(text)?.[1])
  const keys = [...text.matchAll(/^\s+0x([0-9a-f]+)\s*$/gim)].map(([, digits]) => BigInt(`0x${digits}`))
  if (count !== keys.length) throw new Error(`registered keys were not understood: ${JSON.stringify(text.slice(-200))}`)
  return keys
}

/** Reads what `--read-reservation` prints; undefined = no reservation. Throws a plain error when it is not that, or of another type. */
export function parseHolder(text: string): bigint | undefined {
  if (/there is NO reservation held/.test(text)) return undefined
  const key = /^\s*Key\s*=\s*0x([0-9a-f]+)\s*$/im.exec(text)?.[1]
  const type = /^\s*scope:.*\btype:\s*(.+?)\s*$/m.exec(text)?.[1]
  if (key === undefined || type === undefined) {
    throw new Error(`the reservation was not understood: ${JSON.stringify(text.slice(-200))}`)
  }
  if (type.toLowerCase() !== TYPE_NAME.toLowerCase()) {
    throw new Error(`the disk is reserved by the key 0x${key} in a way that is not Haven's: ${type}`)
  }
  return BigInt(`0x${key}`)
}

/** Reads what `--report-capabilities` prints. */
export function parseCapabilities(text: string): ReservationCapabilities {
  const bit = (name: string): boolean => new RegExp(`\\(${name}\\):\\s*1\\b`).test(text)
  const type = new RegExp(`^\\s*${TYPE_NAME}:\\s*([01])`, 'im').exec(text)?.[1]
  return { persistsThroughPowerLoss: bit('PTPL_C'), hasType: bit('TMV') ? type === '1' : undefined }
}
