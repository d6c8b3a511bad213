/** A configured fence device. */
export interface FenceDeviceJson {
  readonly name: string
  readonly agent: 'command' | 'fence-agent'
  readonly program: string
  /** `NAME@file` names a file whose first line is the value. */
  readonly options: Readonly<Record<string, string>>
  /** What the device calls a host, where that is not the name of the host. */
  readonly plugs: Readonly<Record<string, string>>
  readonly hosts: readonly string[]
  readonly action: 'off' | 'reboot'
  readonly timeoutMs: number
}

/** Limits of fencing. */
export interface FencingLimitsJson {
  /** 0 to 1: part of the configured hosts that may be fenced within the window; at least one may. */
  readonly shareMax: number
  readonly windowMs: number
  readonly delayMs: number
  /** 0 = devices are not asked for their status. */
  readonly statusEveryMs: number
}

/** How often a host that was lost may join by itself. */
export interface RejoinLimitsJson {
  readonly rejoinsMax: number
  readonly windowMs: number
}

/** What `scconf` changes of fencing; what is left out stays. */
export type FencingConfigurationRequest =
  /** `scconf C --fence-device NAME [--agent ...] [--program P] [--option k=v ...] [--hosts a,b] [--plug host=outlet,...] [--action ...] [--timeout S]`. */
  | {
      readonly kind: 'fence-device'
      readonly name: string
      readonly agent?: 'command' | 'fence-agent'
      readonly program?: string
      /** Each `NAME=VALUE`; they replace all former ones. */
      readonly options?: readonly string[]
      readonly hosts?: readonly string[]
      readonly plugs?: Readonly<Record<string, string>>
      readonly action?: 'off' | 'reboot'
      readonly timeoutMs?: number
    }
  /** `scconf C --fence-device NAME -r`: refused while it is part of a level. */
  | { readonly kind: 'remove-fence-device'; readonly name: string }
  /** `scconf C --fence-levels HOST=dev1,dev2;dev3`; without anything behind the equals sign the host has none any more. */
  | { readonly kind: 'fence-levels'; readonly text: string }
  /** `scconf C --fence-share PERCENT --fence-window-ms MS --fence-delay-ms MS --fence-status-ms MS`. */
  | ({ readonly kind: 'fencing-limits' } & Partial<FencingLimitsJson>)
  /** `scconf C --rejoins-max N --rejoin-window-ms MS`. */
  | ({ readonly kind: 'rejoins' } & Partial<RejoinLimitsJson>)

/** Body of `POST /v1/fences` (`scadmin fence HOST`). */
export interface FenceRequest {
  readonly host: string
  readonly reason?: string
  /** Also when it is this host or gives signs of life; default false. */
  readonly evenIfAlive?: boolean
}

/** Answer to `POST /v1/fences`: a device has confirmed that the host is off. */
export interface FencedJson {
  readonly host: string
  readonly devices: readonly string[]
  readonly tookMs: number
  /** The reconfiguration that gave the host up; null = it was no member. */
  readonly reconfiguration: number | null
}

/** Body of `POST /v1/fences/confirmations` (`scadmin confirm-down HOST`). */
export interface ConfirmDownRequest {
  readonly host: string
  readonly reason: string
}

/** Answer to `POST /v1/fences/confirmations`. */
export interface ConfirmedDownJson {
  readonly host: string
  /** Null = it was no member, so nothing had to be taken over. */
  readonly reconfiguration: number | null
}

/** What `hastat` shows of fencing. */
export interface FencingStatusJson {
  /** In order of their names. */
  readonly devices: readonly FenceDeviceStatusJson[]
  /** The last fence of each host that was ever fenced, latest first. */
  readonly fences: readonly FenceJson[]
}

/** How a fence device is. */
export interface FenceDeviceStatusJson {
  readonly name: string
  readonly hosts: readonly string[]
  /** Null = nobody has asked it yet. */
  readonly isWell: boolean | null
  /** What it complained about; empty when well. */
  readonly message: string
  /** The member that asked it; null = nobody yet. The one with a complaint, if any has one; else the latest. */
  readonly askedBy: string | null
  readonly askedWallMs: number | null
}

/** One fence. */
export interface FenceJson {
  readonly host: string
  /** The life that it was about; 0 = the host was no member. */
  readonly incarnation: number
  readonly askedBy: string
  /** Empty = Haven by itself. */
  readonly operator: string
  readonly why: string
  readonly atWallMs: number
  readonly outcome: 'asked' | 'confirmed' | 'confirmed-by-operator' | 'failed'
  /** The devices that confirmed it; empty otherwise. */
  readonly devices: readonly string[]
  readonly tookMs: number | null
  /** Why it failed; empty otherwise. */
  readonly message: string
}
