import type { DataServiceName } from '../model/names.ts'

/** Keeps the methods of one data service on this host from overlapping: in turn, in the order in which they came. */
export class ServiceLocks {
  readonly #last = new Map<DataServiceName, Promise<void>>()

  /** Resolves with what ends the turn (harmless to call twice) when it has come; rejects when the signal aborts first. */
  async lock(service: DataServiceName, signal: AbortSignal): Promise<() => void> {
    const before = this.#last.get(service)
    let unlock: () => void = () => undefined
    const mine = new Promise<void>((resolve) => {
      unlock = resolve
    })
    this.#last.set(service, before === undefined ? mine : before.then(() => mine))
    if (before !== undefined) {
      try {
        await abortable(before, signal)
      } catch (error) {
        unlock()
        throw error
      }
    }
    return unlock
  }
}

function abortable(waited: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    void waited.then(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
  })
}
