import { readFileSync } from 'node:fs'
import { describeError } from '../../errors/ha-error.ts'
import type { AdapterLink, AdapterTraffic, Links } from '../../ports/links.ts'
import type { DriverHost } from '../driver-host.ts'
import { driverTag } from '../processes.ts'
import { createRunCommand, type RunCommand } from '../run-command.ts'
import { keepRunning } from './line-program.ts'
import { isSame, parseLinks, parseTraffic } from './link-table.ts'

/** A notice of the kernel that got lost is made up for within this time. A reading costs 3 ms. */
export const LINKS_REREAD_MS = 2_000
/** A kernel that does not answer is asked again. */
const READ_TIMEOUT_MS = 1_000

/** Where warnings go, once per kind of trouble. */
export interface LinksOptions {
  readonly warn: (message: string) => void
}

/**
 * Watches the adapters of this network namespace. Netlink notices say that something changed, `ip -json link` says what: so a notice that is lost,
 * repeated or overtaken does no harm. Runs until `close`.
 */
export function watchLinks(host: Pick<DriverHost, 'scope' | 'effects'>, options: LinksOptions): Links {
  return new LinkWatch(host, options)
}

class LinkWatch implements Links {
  readonly ready: Promise<void>
  readonly #run: RunCommand
  readonly #warn: (message: string) => void
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  readonly #program: { close(): Promise<void> }
  readonly #timer: Promise<void>
  #adapters: ReadonlyMap<string, AdapterLink> | undefined
  #reading: Promise<void> | undefined
  #mustReadAgain = false
  #warned = ''

  constructor({ scope, effects }: Pick<DriverHost, 'scope' | 'effects'>, { warn }: LinksOptions) {
    this.#warn = warn
    this.#run = createRunCommand({ effects, tag: driverTag(scope, 'links') })
    this.ready = this.#read()
    this.#program = keepRunning({
      effects,
      argv: ['perl', '-e', NOTICES],
      onLine: () => void this.#read(),
      onEnd: (why) =>
        this.#warnOnce(
          `the kernel's notices of adapters do not come (${why}); they are looked at every ${LINKS_REREAD_MS / 1000} s`,
        ),
    })
    this.#timer = this.#readNowAndThen(effects.sleep.bind(effects))
  }

  adapters(): ReadonlyMap<string, AdapterLink> | undefined {
    return this.#adapters
  }

  traffic(): ReadonlyMap<string, AdapterTraffic> {
    try {
      // Not /sys/class/net: a /sys that was mounted in another network namespace shows the adapters of that one.
      return parseTraffic(readFileSync('/proc/thread-self/net/dev', 'latin1'))
    } catch (error) {
      this.#warnOnce(`the counters of the adapters cannot be read: ${describeError(error)}`)
      return new Map()
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closed'))
    await Promise.all([this.#program.close(), this.#timer, this.#reading])
  }

  async #readNowAndThen(sleep: (ms: number, signal: AbortSignal) => Promise<void>): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await sleep(LINKS_REREAD_MS, this.#closing.signal).catch(() => undefined)
      if (!this.#closing.signal.aborted) await this.#read()
    }
  }

  /** One reading is under way and one waits at most, however many notices come: the one that waits sees them all. */
  #read(): Promise<void> {
    this.#mustReadAgain = this.#reading !== undefined
    this.#reading ??= this.#readWhileNeeded().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readWhileNeeded(): Promise<void> {
    do {
      this.#mustReadAgain = false
      await this.#readOnce()
    } while (this.#mustReadAgain && !this.#closing.signal.aborted)
  }

  async #readOnce(): Promise<void> {
    const limits = { signal: this.#closing.signal, timeoutMs: READ_TIMEOUT_MS }
    try {
      const { stdout } = await this.#run(['ip', '-json', 'link', 'show'], limits)
      this.#take(parseLinks(stdout))
    } catch (error) {
      if (this.#closing.signal.aborted) return
      // What was known last stays known: an ip that fails says nothing about adapters.
      this.#warnOnce(`the adapters cannot be read: ${describeError(error)}`)
    }
  }

  #take(adapters: ReadonlyMap<string, AdapterLink>): void {
    const before = this.#adapters
    this.#adapters = adapters
    if (before !== undefined && isSame(before, adapters)) return
    for (const listener of [...this.#listeners]) listener()
  }

  #warnOnce(message: string): void {
    if (message === this.#warned) return
    this.#warned = message
    this.#warn(message)
  }
}

/**
 * Prints a line when it listens, and one after each batch of notices of RTMGRP_LINK; ends with its standard input. `ip monitor` would not end then, nor
 * say when it listens: a change between the first reading and that moment would be missed. perl-base is essential in Debian (docs/decisions/0007).
 */
const NOTICES = String.raw`
use strict;
$| = 1;
socket(my $socket, 16, 3, 0) or die "netlink socket: $!\n";              # AF_NETLINK, SOCK_RAW, NETLINK_ROUTE
bind($socket, pack 'S S L L', 16, 0, 0, 1) or die "netlink: $!\n";       # any port, RTMGRP_LINK
print "listening\n";
for (;;) {
  my $ready = '';
  vec($ready, fileno $_, 1) = 1 for $socket, *STDIN;
  select $ready, undef, undef, undef;
  if (vec $ready, fileno *STDIN, 1) { exit 0 unless sysread STDIN, my $ignored, 4096 }
  next unless vec $ready, fileno $socket, 1;
  recv $socket, my $notice, 65536, 0;                                    # that it failed (some were lost) is a reason to look, too
  print "changed\n";
}
`
