import { describeError } from '../errors/ha-error.ts'
import { CALLED_OFF, sleepUntilAborted } from '../execute/run-within.ts'
import type { Watch } from '../ports/cluster-database.ts'
import { ClusterView, type Touched } from '../records/cluster-view.ts'
import { Inbox } from './inbox.ts'
import type { HostParts } from './parts.ts'

/** What listens to news. It is called in the middle of taking them in: it notes them or rings a bell, and does nothing else. */
export type Listener = (touched: Touched) => void

/** Keeps the view of the cluster up to date: one reading at the start, then the watch, and a reading now and then as the net below it. */
export class Knowledge {
  readonly view: ClusterView
  readonly #parts: HostParts
  readonly #signal: AbortSignal
  readonly #inbox = new Inbox()
  readonly #listeners = new Set<Listener>()
  #watch: Watch | undefined
  #isOpen = false
  #news = 0

  constructor(parts: HostParts, signal: AbortSignal) {
    this.#parts = parts
    this.#signal = signal
    this.view = new ClusterView((error) => {
      // A daemon that cannot read all there is does not even start; one that runs goes on with what it knew.
      if (!this.#isOpen) throw error
      parts.log.write({ level: 'error', message: describeError(error) })
    })
  }

  /** Reads everything and begins to watch. Throws `DATABASE_*`, `RECORD_INVALID`. */
  async open(): Promise<void> {
    const { database } = this.#parts
    this.take(this.view.reset(await database.read()))
    this.#isOpen = true
    this.#watch = database.watch(this.view.revision, (event) => this.#inbox.put(event))
  }

  /** Takes in what the watch tells, until the life ends. */
  async followWatch(): Promise<void> {
    for (;;) {
      const event = await this.#inbox.take(this.#signal)
      if (event === undefined) break
      if (event.kind === 'changed') this.take(this.view.apply(event))
      else await this.#readUntilRead()
    }
    this.#watch?.close()
  }

  /** Reads everything now and then, until the life ends. */
  async rereadNowAndThen(): Promise<void> {
    const { effects, settings } = this.#parts
    for (;;) {
      await sleepUntilAborted(effects, settings.rereadMs, this.#signal)
      if (this.#signal.aborted) return
      await this.#read()
    }
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells everybody who listens what has changed. */
  take(touched: Touched): void {
    const isNews = touched.state || touched.timeline
    if (!isNews && touched.stamps.length === 0) return
    if (isNews) this.#news += 1
    for (const listener of this.#listeners) listener(touched)
  }

  /** Resolves when something other than a stamp has changed after the revision, the time is over or the signal aborts; with the present revision. */
  async changed(revision: number, withinMs: number, signal: AbortSignal): Promise<number> {
    await this.#until(() => this.view.contentRevision > revision, withinMs, signal)
    return Math.max(this.view.revision, this.view.contentRevision)
  }

  /** How often something other than a stamp was heard of. Answers to own commits come in any order, so the last one may be about an earlier revision. */
  get news(): number {
    return this.#news
  }

  /** Resolves when there were more news, the time is over or the signal aborts. */
  async newsAfter(news: number, withinMs: number, signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#news > news, withinMs, signal)
  }

  async #until(isOver: () => boolean, withinMs: number, signal: AbortSignal): Promise<void> {
    if (isOver() || signal.aborted) return
    const waiter = new AbortController()
    const stop = (): void => waiter.abort(CALLED_OFF)
    const stopListening = this.listen(() => {
      if (isOver()) stop()
    })
    signal.addEventListener('abort', stop, { once: true })
    this.#signal.addEventListener('abort', stop, { once: true })
    await sleepUntilAborted(this.#parts.effects, withinMs, waiter.signal)
    stopListening()
    signal.removeEventListener('abort', stop)
    this.#signal.removeEventListener('abort', stop)
  }

  async #read(): Promise<boolean> {
    try {
      this.take(this.view.reset(await this.#parts.database.read()))
      return true
    } catch (error) {
      this.#parts.log.write({ level: 'warn', message: `the cluster database cannot be read: ${describeError(error)}` })
      return false
    }
  }

  /** After a gap only a reading tells what is true; whether this host may still act meanwhile is for its deadline to say. */
  async #readUntilRead(): Promise<void> {
    while (!this.#signal.aborted && !(await this.#read())) {
      await sleepUntilAborted(this.#parts.effects, READ_RETRY_MS, this.#signal)
    }
  }
}

const READ_RETRY_MS = 200
