import type { DataServiceName, LogicalHostName } from '../../src/framework/model/names.ts'

/** One thing that physically happened, as the referees see it. */
export type Deed =
  | { readonly kind: 'begun'; readonly host: string; readonly by: Actor }
  | {
      readonly kind: 'imported'
      readonly diskGroup: string
      readonly host: string
      readonly force: boolean
      readonly markBefore: string | undefined
    }
  | { readonly kind: 'crashed'; readonly host: string }
  | { readonly kind: 'exported'; readonly diskGroup: string; readonly host: string; readonly by: Actor }
  | { readonly kind: 'address-up'; readonly address: string; readonly host: string }
  | {
      readonly kind: 'method'
      readonly method: string
      readonly service: DataServiceName
      readonly logicalHost: LogicalHostName
      readonly lists: readonly [string, string]
      readonly host: string
      readonly by: Actor
    }
  | {
      readonly kind: 'started'
      readonly service: DataServiceName
      readonly logicalHost: LogicalHostName
      readonly host: string
    }

/** Who does something on a host: the daemon, or the guard. */
export type Actor = 'clustd' | 'failfastd'

/** The physical truth: what is imported, up and running where. Nobody but drivers, methods and crashes changes it; referees watch every change. */
export class World {
  /** Name in the ownership mark on the storage itself; survives crashes. */
  readonly marks = new Map<string, string>()
  /** Disk group -> hosts that have it mounted. */
  readonly imports = new Map<string, Set<string>>()
  /** Address -> hosts that have it up. */
  readonly addresses = new Map<string, Set<string>>()
  /** `logical host/service` -> hosts on which its processes run. */
  readonly running = new Map<string, Set<string>>()
  readonly #watch: (deed: Deed) => void

  constructor(watch: (deed: Deed) => void) {
    this.#watch = watch
  }

  /** Tells the referees that a driver or a method begins to act; what comes of it is told when it happens. */
  begin(host: string, by: Actor): void {
    this.#watch({ kind: 'begun', host, by })
  }

  /** Mounts a disk group. The caller has looked at the mark. */
  import(diskGroup: string, host: string, force: boolean): void {
    const markBefore = this.marks.get(diskGroup)
    this.marks.set(diskGroup, host)
    if (add(this.imports, diskGroup, host)) this.#watch({ kind: 'imported', diskGroup, host, force, markBefore })
  }

  export(diskGroup: string, host: string, by: Actor): void {
    if (!remove(this.imports, diskGroup, host) && this.marks.get(diskGroup) !== host) return
    if (this.marks.get(diskGroup) === host) this.marks.delete(diskGroup)
    this.#watch({ kind: 'exported', diskGroup, host, by })
  }

  addressUp(address: string, host: string): void {
    if (add(this.addresses, address, host)) this.#watch({ kind: 'address-up', address, host })
  }

  addressDown(address: string, host: string): void {
    remove(this.addresses, address, host)
  }

  /** Tells the referees of a method call that has begun to have its effect. */
  method(
    call: Pick<Extract<Deed, { kind: 'method' }>, 'method' | 'service' | 'logicalHost' | 'lists'>,
    host: string,
    by: Actor,
  ): void {
    this.#watch({ kind: 'method', ...call, host, by })
  }

  start(logicalHost: LogicalHostName, service: DataServiceName, host: string): void {
    if (add(this.running, `${logicalHost}/${service}`, host))
      this.#watch({ kind: 'started', service, logicalHost, host })
  }

  stop(logicalHost: LogicalHostName, service: DataServiceName, host: string): void {
    remove(this.running, `${logicalHost}/${service}`, host)
  }

  /** Services of a logical host whose processes run on a host. */
  servicesRunning(logicalHost: string, host: string): readonly string[] {
    const prefix = `${logicalHost}/`
    return [...this.running]
      .filter(([key, hosts]) => key.startsWith(prefix) && hosts.has(host))
      .map(([key]) => key.slice(prefix.length))
  }

  /** Everything of a host that lives in its memory is gone; marks stay on the storage. */
  crash(host: string): void {
    for (const places of [this.imports, this.addresses, this.running])
      for (const hosts of places.values()) hosts.delete(host)
    this.#watch({ kind: 'crashed', host })
  }
}

function add(places: Map<string, Set<string>>, key: string, host: string): boolean {
  const hosts = places.get(key) ?? new Set()
  places.set(key, hosts)
  if (hosts.has(host)) return false
  hosts.add(host)
  return true
}

function remove(places: Map<string, Set<string>>, key: string, host: string): boolean {
  return places.get(key)?.delete(host) ?? false
}
