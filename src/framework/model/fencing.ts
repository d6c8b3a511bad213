import type { FenceDeviceName, PhysicalHostName } from './names.ts'

/** Something that can make sure from outside that a host cannot write any more; record `fenceDevices/<name>`. */
export interface FenceDevice {
  readonly name: FenceDeviceName
  /**
   * `command`: `program ACTION HOST`, with the options in its environment; `fence-agent`: a program of the ClusterLabs FenceAgentAPI, which reads
   * `name=value` lines.
   */
  readonly agent: 'command' | 'fence-agent'
  /** Absolute path, or a name to be found in /usr/sbin and /usr/bin. */
  readonly program: string
  /** Options by name; `NAME@file` names a file whose first line is the value, so that no secret is in here. `HOST` in a value stands for the host that is fenced. */
  readonly options: Readonly<Record<string, string>>
  /** What the device calls a host (`plug`, `port`), where that is not its own name. */
  readonly plugs: Readonly<Record<string, string>>
  /** Hosts it can fence, in no order. */
  readonly hosts: readonly PhysicalHostName[]
  /** `off`: the host stays off; `reboot`: it is switched on again once it was seen off. */
  readonly action: 'off' | 'reboot'
  readonly timeoutMs: number
}

/** Limits of fencing, in the record `cluster`. */
export interface FencingLimits {
  /** At most this part of the configured hosts (0 to 1, rounded down, at least one) may be fenced within the window without an operator. */
  readonly shareMax: number
  readonly windowMs: number
  /** With two members left, the one that masters less (or comes later in order) waits this long before it asks for a fence, so that the other one survives. */
  readonly delayMs: number
  /** Every device is asked for its status this often, 0 = never. */
  readonly statusEveryMs: number
}

/** How often a host that was fenced or aborted may join by itself (`clustd --mode auto`) before somebody has to say `scadmin startnode`. */
export interface RejoinLimits {
  /** 0 = never by itself. */
  readonly rejoinsMax: number
  readonly windowMs: number
}

/**
 * Asks a host that is not heard any more for a sign of life before it is fenced; volatile record `questions/<host>`. A host that reads one about its
 * present life stamps at once: whoever can do that is alive, whatever its heartbeats say.
 */
export interface FenceQuestion {
  readonly host: PhysicalHostName
  readonly incarnation: number
  readonly by: PhysicalHostName
  readonly atWallMs: number
}

/** How a host was lost and how it came back; durable record `rejoins/<host>`. Absent = it was never given up. */
export interface Rejoins {
  readonly host: PhysicalHostName
  /** The life that was given up while the cluster went on, as long as the host has not joined since; null = it has. */
  readonly lostIncarnation: number | null
  readonly atWallMs: number
  /** Wall clock of its joins by itself after a loss, oldest first; bounded by the limit. An operator's start forgets them. */
  readonly byItselfWallMs: readonly number[]
}

/** The last fence of a host; durable record `fences/<host>`: committed before the fence is asked for, so that nobody fences without the database's majority. */
export interface Fence {
  readonly host: PhysicalHostName
  /** The life that is ended by it; 0 = the host was no member. */
  readonly incarnation: number
  /** Who asks the device. */
  readonly by: PhysicalHostName
  /** User name of the operator; empty = Haven by itself. */
  readonly operator: string
  readonly why: string
  readonly atWallMs: number
  /** When Haven asked for a fence of this host by itself last; null = never. What an operator asks for afterwards does not hide it from the share. */
  readonly byItselfWallMs: number | null
  readonly outcome:
    | { readonly kind: 'asked' }
    | { readonly kind: 'confirmed'; readonly devices: readonly FenceDeviceName[]; readonly tookMs: number }
    /** An operator's word (`scadmin confirm-down`). */
    | { readonly kind: 'confirmed-by-operator' }
    | { readonly kind: 'failed'; readonly message: string; readonly tookMs: number }
}

/** What a device said when it was last asked; volatile record `fenceStatus/<device>/<host that asked>`. */
export interface FenceDeviceStatus {
  readonly device: FenceDeviceName
  readonly askedBy: PhysicalHostName
  readonly atWallMs: number
  readonly isWell: boolean
  /** Empty when well. */
  readonly message: string
}
