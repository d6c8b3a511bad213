import type { PhysicalHostName } from '../model/names.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import { confirmDown, fenceByHand, type HandOrder } from './fence-by-hand.ts'
import { FenceProber } from './fence-prober.ts'
import { FenceWatch } from './fence-watch.ts'
import { type Fenced, Fencer } from './fencer.ts'
import type { Host } from './host.ts'
import type { Observer } from './observer.ts'
import type { Stamper } from './stamper.ts'

/** Everything of a host that has to do with fencing: it asks for fences, answers the question whether it lives itself, and looks after the devices. */
export class Fencing {
  readonly #host: Host
  readonly #watch: FenceWatch
  readonly #fencer: Fencer | undefined
  readonly #prober: FenceProber | undefined
  readonly #stamper: Stamper

  constructor(host: Host, deadline: DeadlineKeeper, observer: Observer, stamper: Stamper) {
    this.#host = host
    this.#stamper = stamper
    this.#watch = new FenceWatch(host, deadline, observer)
    const { fenceAgents } = host.parts
    this.#fencer = fenceAgents && new Fencer(host, this.#watch, fenceAgents)
    this.#prober = fenceAgents && new FenceProber(host, fenceAgents)
  }

  /** Works until the life ends. */
  async run(): Promise<void> {
    this.#answerQuestions()
    await Promise.all([this.#fencer?.run(), this.#prober?.run()])
  }

  /** What `fenceByHand` does. */
  fence(order: HandOrder & { readonly evenIfAlive: boolean }): Promise<Fenced> {
    return fenceByHand({ host: this.#host, watch: this.#watch, fencer: this.#fencer }, order)
  }

  /** What `confirmDown` does. */
  confirmDown(order: HandOrder): Promise<number | null> {
    return confirmDown({ host: this.#host, watch: this.#watch }, order)
  }

  /** Milliseconds since anything was seen or heard of a host; undefined = never. */
  silentMs(host: PhysicalHostName): number | undefined {
    return this.#watch.silentMs(host)
  }

  /** Whoever asks whether this host lives sees it by the next stamp, which is sent at once. */
  #answerQuestions(): void {
    const { view, knowledge, parts } = this.#host
    const present = (): unknown => view.fencing.questions().get(parts.host)
    let known = present()
    const stop = knowledge.listen(() => {
      const question = view.fencing.questions().get(parts.host)
      if (question === known) return
      known = question
      if (question?.incarnation === this.#host.incarnation) this.#stamper.stampNow()
    })
    this.#host.life.signal.addEventListener('abort', stop, { once: true })
  }
}
